"""The table of objectives as what a canary is judged by."""

import re

from greenrun.domain.gate import Gate, Threshold
from greenrun.domain.plan import CanaryPlan
from greenrun.domain.sequential import Trial
from greenrun.errors import ReleaseError

_QUANTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]+)?) latency")
_ERRORS = "error rate"


def trial(gate: Gate, plan: CanaryPlan, alpha: float) -> Trial:
    """One trial of all objectives: their limits, and the same figures against the baseline's.

    Raises:
        ReleaseError: an objective that a canary cannot judge, or in another unit.
    """
    errors = [one for one in gate.thresholds if one.measure == _ERRORS]
    latencies = [(_share(one), one) for one in gate.thresholds if one.measure != _ERRORS]
    limits = tuple((share, _limit(one, "ms")) for share, one in latencies)
    return Trial(
        alpha=alpha,
        missed=plan.missed,
        tolerated=plan.tolerated,
        error_limit=_limit(errors[0], "%") / 100 if errors else None,
        quantiles=tuple(share for share, _ in limits),
        slower=plan.slower,
        latency_limits=limits,
    )


def _share(threshold: Threshold) -> float:
    found = _QUANTILE.fullmatch(threshold.measure)
    share = float(found[1]) / 100 if found else 0.0
    if not share:
        raise ReleaseError(
            f"objectives of the canary: got the measure {threshold.measure!r}, "
            f"needs `{_ERRORS}` or a quantile such as `p95 latency`"
        )
    return share


def _limit(threshold: Threshold, unit: str) -> float:
    limit, most = threshold.limit, 100 if unit == "%" else float("inf")
    if limit.unit != unit or not 0 < limit.value < most:
        over = "between 0 and 100 %" if unit == "%" else "over 0 ms"
        raise ReleaseError(
            f"objectives of the canary: {threshold.measure}: got {limit}, needs to be {over}"
        )
    return limit.value
