"""Proofs of the canary."""

from collections.abc import Sequence

from greenrun.model.canary_step import CanaryStep
from greenrun.model.errors import GateClosed
from greenrun.model.stats import Outcome


def all_passed(increments: Sequence[CanaryStep]) -> None:
    """Every increment was judged, and passed."""
    if {increment.outcome for increment in increments} != {Outcome.PASS}:
        found = "; ".join(map(str, increments)) or "no increment"
        raise GateClosed(f"canary: got {found}, needs every increment to pass")
