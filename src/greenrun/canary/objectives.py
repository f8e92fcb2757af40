"""The table of objectives as what a canary is judged by."""

import re
from collections import Counter
from collections.abc import Iterable

from greenrun.model.errors import ReleaseError
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import CanaryPlan
from greenrun.model.stats import SequentialTest

_QUANTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]+)?) latency")
_ERRORS, _MEMORY = "error rate", "memory"


def trial(gate: Gate, plan: CanaryPlan, alpha: float) -> SequentialTest:
    """One trial of all objectives of requests: limits, and the same figures against the baseline's.

    Raises:
        ReleaseError: an objective that a canary cannot judge, in another unit, or stated twice.
    """
    memory_limit(gate)  # no part of the trial, and no reason to begin one where it is wrong
    errors = _only(gate, _ERRORS)
    others = [one for one in gate.thresholds if one.measure not in {_ERRORS, _MEMORY}]
    latencies = [(_share(one), one) for one in others]
    _refuse_twice(f"p{100 * share:.4g} latency" for share, _ in latencies)
    limits = tuple((share, _limit(one, "ms")) for share, one in latencies)
    return SequentialTest(
        alpha=alpha,
        beta=plan.beta,
        max_error_increase=plan.max_error_increase,
        error_limit=_limit(errors, "%") / 100 if errors else None,
        quantiles=tuple(share for share, _ in limits),
        max_latency_increase=plan.max_latency_increase,
        latency_limits=limits,
        stall=plan.stall.total_seconds(),
    )


def memory_limit(gate: Gate) -> Quantity | None:
    """What the candidate may use of its memory limit, in %; None where that is not stated.

    Raises:
        ReleaseError: it is in another unit, no part of the whole, or stated twice.
    """
    objective = _only(gate, _MEMORY)
    return Quantity(_limit(objective, "%"), "%") if objective else None


def _only(gate: Gate, measure: str) -> Threshold | None:
    found = [one for one in gate.thresholds if one.measure == measure]
    _refuse_twice(one.measure for one in found)
    return found[0] if found else None


def _refuse_twice(measures: Iterable[str]) -> None:
    for measure, times in Counter(measures).items():
        if times > 1:
            raise ReleaseError(
                f"objectives of the canary: got {measure} {times} times, needs each measure once"
            )


def _share(threshold: Threshold) -> float:
    found = _QUANTILE.fullmatch(threshold.measure)
    share = float(found[1]) / 100 if found else 0.0
    if not share:
        raise ReleaseError(
            f"objectives of the canary: got the measure {threshold.measure!r}, "
            f"needs `{_ERRORS}`, `{_MEMORY}` or a quantile such as `p95 latency`"
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
