"""What a service's own metrics promise, as rows of a feature's tables say it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import isnan

from greenrun.checks.metrics import measures
from greenrun.checks.metrics.exposition import Exposition, Family, Selector
from greenrun.checks.metrics.measures import Measure, NoData, measure_of
from greenrun.checks.table import (
    Cells,
    Column,
    Table,
    TableForm,
    Unmeant,
    filled,
    limit,
    quantity,
)
from greenrun.model.errors import ReleaseError
from greenrun.model.monitoring import Figure
from greenrun.model.objective import Finding, Gate, Threshold, Verdict
from greenrun.model.plan import Plan
from greenrun.reporting.monitoring import Objectives, monitored
from greenrun.reporting.monitoring.objectives import figures as limited
from greenrun.reporting.monitoring.objectives import in_unit


@dataclass(frozen=True, slots=True)
class FamilyPromise:
    """There is a family whose name begins so, of this type and with these labels, if named."""

    prefix: str
    kind: str = ""
    labels: frozenset[str] = frozenset()

    def broken_by(self, told: Exposition) -> str:
        """What was found instead; empty where the promise is kept."""
        found = [family for family in told.families if family.begins_with(self.prefix)]
        if any(map(self._kept_by, found)):
            return ""
        return f"{self}: got {', '.join(map(str, found)) or 'none'}"

    def _kept_by(self, family: Family) -> bool:
        return self.kind in ("", family.kind) and self.labels <= family.labels

    def __str__(self) -> str:
        labels = f" with {', '.join(sorted(self.labels))}" if self.labels else ""
        return f"{self.kind or 'family'} {self.prefix}{labels}"


@dataclass(frozen=True, slots=True)
class Rise:
    """A counter is higher later than before, by `least` or, where that is 0, at all."""

    counter: Selector
    least: float = 0

    def by(self, before: Exposition, after: Exposition) -> float:
        """How much it has risen; NaN where it is not told. What was not there before was 0."""
        begun = before.value(self.counter)
        return after.value(self.counter) - (0 if isnan(begun) else begun)

    def broken_by(self, before: Exposition, after: Exposition) -> str:
        """What was found instead; empty where it has risen enough."""
        family = after.family(self.counter.name)
        if family is None or isnan(risen := self.by(before, after)):
            return f"{self.counter}: got no such counter"
        if family.kind == "gauge":
            return f"{self.counter}: got a gauge, needs a counter"
        if risen >= self.least and risen > 0:
            return ""
        needs = f"at least {self.least:g}" if self.least else "any"
        return f"{self.counter}: got a rise of {risen:g}, needs {needs}"


@dataclass(frozen=True, slots=True)
class Objective:
    """A measure, and what it has to be."""

    measure: Measure
    threshold: Threshold

    def judge(self, told: Exposition) -> tuple[Finding, str]:
        """The finding, and where there is no data, why.

        Raises:
            ReleaseError: the limit is in a unit that the measure does not have.
        """
        try:
            reading = self.measure.read(told)
            measured = reading.in_unit(self.threshold.limit.unit)
        except NoData as reason:
            return self.threshold.judge(None), str(reason)
        except ReleaseError as error:
            raise ReleaseError(f"{self.threshold.measure}: {error.message}") from error
        finding = self.threshold.judge(measured)
        if reading.at_least and (finding.verdict is Verdict.PASS) == self._limits_above:
            return self.threshold.judge(None), f"it is beyond the last bucket, {measured}"
        return finding, ""

    @property
    def _limits_above(self) -> bool:
        return self.threshold.relation == "at most"


def _selector(cell: str) -> Selector:
    try:
        return Selector.parse(cell)
    except ReleaseError as error:
        raise Unmeant(error.message.partition(", needs ")[2]) from error


def _listed(cell: str) -> frozenset[str]:
    return frozenset(part.strip() for part in cell.split(",") if part.strip())


FAMILIES = TableForm(
    "families",
    (
        Column("family", filled, required=True),
        Column("type"),
        Column("labels", _listed),
    ),
    lambda cells, _: FamilyPromise(cells["family"], cells["type"], cells["labels"]),
)
"""Labels are listed as `method, status`."""

RISES = TableForm(
    "counters",
    (
        Column("counter", _selector, required=True),
        Column("by at least", lambda cell: quantity(cell or "0").value),
    ),
    lambda cells, _: Rise(cells["counter"], cells["by at least"]),
)
"""Without a number, any rise will do."""


def _thresholds(cells: Cells, _: int) -> tuple[Threshold, ...]:
    """One for each limit that is filled in; at least one is."""
    limits = {relation: cells[relation] for relation in ("at least", "at most")}
    name = cells["measure"]
    if not any(limits.values()):
        raise Unmeant("`at least` or `at most`", got=f"{name} without a limit")
    return tuple(Threshold(name, how, bound) for how, bound in limits.items() if bound)


OBJECTIVES = TableForm(
    "objectives",
    (
        Column("measure", filled, required=True),
        Column("at least", limit),
        Column("at most", limit),
    ),
    _thresholds,
)
"""The thresholds of each row; a measure is a figure of release.yaml, or an expression."""


def objectives(
    rows: Iterable[Iterable[Threshold]], figures: Iterable[Figure] = ()
) -> tuple[Objective, ...]:
    """What is to be measured for the rows of a table of OBJECTIVES.

    Raises:
        ReleaseError: a measure that is neither a figure's name nor an expression, or a limit in a
            unit that it does not have.
    """
    known = {figure.name: figure for figure in figures}
    thresholds = chain.from_iterable(rows)
    return tuple(chain.from_iterable(_objectives(each, known) for each in thresholds))


def objectives_of_canary(plan: Plan, canary: Gate) -> tuple[Objective, ...]:
    """The objectives of the canary that figures of the service tell, too; none proves nothing.

    Raises:
        ReleaseError: no figure does, or one has a unit that its limit does not have.
    """
    watched = monitored(plan)
    found = tuple(map(_judged, limited(watched, Objectives(canary))))
    if not any(found):
        named = ", ".join(figure.name for figure in watched.figures)
        stated = ", ".join(one.measure for one in canary.thresholds) or "none"
        raise ReleaseError(
            f"objectives of the canary: got {stated}, and the figures {named}; needs a figure in "
            "release.yaml of the name of one of them, or `success rate` for the error rate"
        )
    return tuple(chain.from_iterable(found))


def limits(tables: Iterable[Table], figures: Sequence[Figure]) -> Gate:
    """What tables of objectives say of figures; other measures are no business of monitoring.

    Raises:
        ReleaseError: a row that cannot be meant.
    """
    names = {figure.name for figure in figures}
    stated = (objectives(OBJECTIVES.read(table), figures) for table in tables)
    thresholds = (objective.threshold for objective in chain.from_iterable(stated))
    return Gate(tuple(threshold for threshold in thresholds if threshold.measure in names))


def _objectives(threshold: Threshold, figures: Mapping[str, Figure]) -> Sequence[Objective]:
    if figure := figures.get(threshold.measure):
        return _judged(replace(figure, thresholds=(in_unit(figure, threshold),)))
    return (Objective(_measure(threshold.measure, figures), threshold),)


def _judged(figure: Figure) -> tuple[Objective, ...]:
    """One for each limit of a figure; one without is not read."""
    return tuple(Objective(measure_of(figure), threshold) for threshold in figure.thresholds)


def _measure(text: str, figures: Iterable[str]) -> Measure:
    try:
        return measures.parse(text)
    except ReleaseError as error:
        known = ", ".join(figures) or "none"
        raise ReleaseError(f"{error.message}, or a figure of release.yaml ({known})") from error
