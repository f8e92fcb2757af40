"""From the objectives of the canary to what is watched from then on."""

from collections.abc import Iterator
from dataclasses import replace

from greenrun.domain.gate import Gate, Quantity, Threshold
from greenrun.domain.plan import MonitoringPlan
from greenrun.domain.watching import Alert, Figure
from greenrun.errors import ReleaseError


def figures(plan: MonitoringPlan, gate: Gate) -> tuple[Figure, ...]:
    """The figures of a plan; one without limits has those of the objective of the same name.

    An error rate of at most 5 % is a success rate of at least 95 %.
    """
    limits = {threshold.measure: threshold for threshold in _with_implied(gate)}
    return tuple(_judged(figure, limits.get(figure.name)) for figure in plan.figures)


def alerts(plan: MonitoringPlan, gate: Gate) -> tuple[Alert, ...]:
    """The objectives that people are told of, in the order of the plan.

    Raises:
        ReleaseError: the plan names a measure that has no objective.
    """
    objectives = {threshold.measure: threshold for threshold in gate.thresholds}
    missing = [measure for measure in plan.alerts if measure not in objectives]
    if missing:
        known = ", ".join(objectives) or "none"
        raise ReleaseError(
            f"could not alert by {', '.join(missing)}: got objectives of {known}, needs a row for "
            "each measure in the table of objectives",
            hint="add the row, or leave the measure out of `monitoring.alerts` in release.yaml",
        )
    return tuple(Alert(_in_unit(objectives[one]), plan.alert_after) for one in plan.alerts)


def _in_unit(objective: Threshold) -> Threshold:
    """The platform counts in these units; a limit in another would be taken for one in these."""
    needs = "ms" if objective.measure.endswith("latency") else "%"
    if objective.limit.unit != needs:
        raise ReleaseError(
            f"could not alert by {objective.measure}: got the limit {objective.limit}, needs it in "
            f"{needs}"
        )
    return objective


def _with_implied(gate: Gate) -> Iterator[Threshold]:
    for threshold in gate.thresholds:
        if threshold.measure == "error rate" and threshold.relation == "at most":
            successes = Quantity(100 - threshold.limit.value, "%")
            yield Threshold("success rate", "at least", successes)
        yield threshold


def _judged(figure: Figure, objective: Threshold | None) -> Figure:
    fits = objective is not None and objective.limit.unit == figure.reading.unit
    if figure.thresholds or objective is None or not fits:
        return figure
    return replace(figure, thresholds=(objective,))
