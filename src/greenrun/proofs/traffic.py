"""Proofs of the canary."""

from collections.abc import Sequence

from greenrun.canary import Increment
from greenrun.domain.gate import Verdict, worst
from greenrun.errors import GateClosed


def all_passed(increments: Sequence[Increment]) -> None:
    """Every increment was judged, and passed."""
    if worst(increment.judgement.verdict for increment in increments) is not Verdict.PASS:
        found = "; ".join(map(str, increments)) or "no increment"
        raise GateClosed(f"canary: got {found}, needs every increment to pass")
