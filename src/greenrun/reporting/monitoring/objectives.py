"""From the objectives that features state to figures with limits, and to alerts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from greenrun.model.errors import ReleaseError
from greenrun.model.monitoring import Alert, Figure
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import MonitoringPlan
from greenrun.model.text import MILLISECONDS

_SCALES = {"%": {"%": 1}, "ms": MILLISECONDS, "/s": {"/s": 1}, "": {"": 1}}
"""By the unit of a figure, how many of it make one of the units that limits may be in."""


@dataclass(frozen=True, slots=True)
class Objectives:
    """What features state: `canary` by measures of the platform, `own` by the service's figures."""

    canary: Gate
    own: Gate = Gate(())  # noqa: RUF009 - a frozen value, which all may share


def figures(plan: MonitoringPlan, objectives: Objectives) -> tuple[Figure, ...]:
    """The figures of a plan with the limits that stand under their names.

    An error rate of at most 5 % is a success rate of at least 95 %.

    Raises:
        ReleaseError: a limit in a unit that the figure does not have, or two different ones.
    """
    limits = (*objectives.own.thresholds, *_with_implied(objectives.canary))
    return tuple(_limited(figure, limits) for figure in plan.figures)


def alerts(plan: MonitoringPlan, canary: Gate) -> tuple[Alert, ...]:
    """The objectives of the canary that people are told of, in the order of the plan.

    Raises:
        ReleaseError: the plan names a measure that has no objective.
    """
    objectives = {threshold.measure: threshold for threshold in canary.thresholds}
    missing = [measure for measure in plan.alerts if measure not in objectives]
    if missing:
        known = ", ".join(objectives) or "none"
        raise ReleaseError(
            f"could not alert by {', '.join(missing)}: got objectives of {known}, needs a row for "
            "each measure in the table of objectives",
            hint="add the row, or leave the measure out of `monitoring.alerts` in release.yaml",
        )
    return tuple(Alert(_platforms(objectives[one]), plan.alert_after) for one in plan.alerts)


def in_unit(figure: Figure, threshold: Threshold) -> Threshold:
    """A limit in the unit of a figure. Raises ReleaseError where it is no limit of such a one."""
    scales, limit = _SCALES[figure.reading.unit], threshold.limit
    if limit.unit not in scales:
        needs = " or ".join(f"in {unit}" if unit else "without a unit" for unit in scales)
        raise ReleaseError(
            f"figure {figure.name}: got the limit {limit}, needs it {needs}",
            hint="a figure has the limits of every objective of its name; others have another name",
        )
    scaled = Quantity(limit.value * scales[limit.unit], figure.reading.unit)
    return replace(threshold, limit=scaled)


def _platforms(objective: Threshold) -> Threshold:
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


def _limited(figure: Figure, limits: Sequence[Threshold]) -> Figure:
    """The figure with its limits, each relation once."""
    found: dict[str, Threshold] = {}
    for limit in (in_unit(figure, one) for one in limits if one.measure == figure.name):
        first = found.setdefault(limit.relation, limit)
        if first != limit:
            raise ReleaseError(
                f"figure {figure.name}: got {limit.relation} {first.limit} and {limit.limit}, "
                "needs one of them",
                hint="take one of the two out of the tables of objectives",
            )
    return replace(figure, thresholds=tuple(found.values()))
