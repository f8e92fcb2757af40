"""Proofs of the canary."""

from collections.abc import Sequence

from greenrun.domain.increment import Increment
from greenrun.domain.sequential import Outcome
from greenrun.errors import GateClosed


def all_passed(increments: Sequence[Increment]) -> None:
    """Every increment was judged, and passed."""
    if {increment.outcome for increment in increments} != {Outcome.PASS}:
        found = "; ".join(map(str, increments)) or "no increment"
        raise GateClosed(f"canary: got {found}, needs every increment to pass")
