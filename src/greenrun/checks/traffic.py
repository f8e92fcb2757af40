"""Proofs of the canary."""

from collections.abc import Sequence

from greenrun.model.canary_step import CanaryStep
from greenrun.model.errors import GateClosed
from greenrun.model.stats import Outcome


def all_passed(steps: Sequence[CanaryStep]) -> None:
    """Every step was judged, and passed."""
    if {step.outcome for step in steps} != {Outcome.PASS}:
        found = "; ".join(map(str, steps)) or "no step"
        raise GateClosed(f"canary: got {found}, needs every step to pass")
