"""Budgets: what was measured may be at most what the plan allows."""

from datetime import timedelta

from greenrun.model.errors import GateClosed
from greenrun.model.objective import Quantity, Threshold, Verdict


def kept(measure: str, measured: Quantity, budget: Quantity, hint: str = "") -> None:
    """Close the gate with the finding where the budget was not kept."""
    finding = Threshold(measure, "at most", budget).judge(measured)
    if finding.verdict is not Verdict.PASS:
        raise GateClosed(str(finding), hint=hint)


def seconds(duration: timedelta) -> Quantity:
    """A duration as budgets tell it."""
    return Quantity(duration.total_seconds(), "s")
