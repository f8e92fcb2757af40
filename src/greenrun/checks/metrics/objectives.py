"""What a service's own metrics promise, as rows of a feature's tables say it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import isnan

from greenrun.checks.metrics import measures
from greenrun.checks.metrics.exposition import Exposition, Family
from greenrun.checks.metrics.measure_syntax import measure_of
from greenrun.checks.metrics.measures import Measure, NoData
from greenrun.checks.metrics.selector import Selector
from greenrun.checks.table import Row, Table, quantity, rows
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


def families(table: Table) -> tuple[FamilyPromise, ...]:
    """The rows of `family | type | labels`; labels as `method, status`."""
    return tuple(
        FamilyPromise(row["family"], row["type"], frozenset(_listed(row["labels"])))
        for row in rows(table, "families", "family", ("type", "labels"))
    )


def rises(table: Table) -> tuple[Rise, ...]:
    """The rows of `counter | by at least`; without a number, any rise will do."""
    return tuple(
        Rise(Selector.parse(row["counter"]), quantity(row["by at least"] or "0").value)
        for row in rows(table, "counters", "counter", ("by at least",))
    )


def objectives(table: Table, figures: Iterable[Figure] = ()) -> tuple[Objective, ...]:
    """The rows of `measure | at least | at most`; each limit that is filled in is one.

    Raises:
        ReleaseError: a measure that is neither a figure's name nor an expression, or a row without
            a limit that it can have.
    """
    known = {figure.name: figure for figure in figures}
    stated = rows(table, "objectives", "measure", ("at least", "at most"))
    return tuple(objective for row in stated for objective in _objectives(row, known))


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
    """What tables of objectives say of figures; other measures are no business of who watches.

    Raises:
        ReleaseError: a row that cannot be meant.
    """
    names = {figure.name for figure in figures}
    found = (objective.threshold for table in tables for objective in objectives(table, figures))
    return Gate(tuple(threshold for threshold in found if threshold.measure in names))


def _objectives(row: Row, figures: Mapping[str, Figure]) -> Iterator[Objective]:
    name = row["measure"]
    said = {relation: row[relation] for relation in ("at least", "at most") if row[relation]}
    if not said:
        raise ReleaseError(f"objective {name}: got no limit, needs `at least` or `at most`")
    thresholds = [Threshold(name, relation, quantity(limit)) for relation, limit in said.items()]
    if figure := figures.get(name):
        in_units = tuple(in_unit(figure, threshold) for threshold in thresholds)
        yield from _judged(replace(figure, thresholds=in_units))
    else:
        yield from (Objective(_measure(name, figures), threshold) for threshold in thresholds)


def _judged(figure: Figure) -> tuple[Objective, ...]:
    """One for each limit of a figure; one without is not read."""
    return tuple(Objective(measure_of(figure), threshold) for threshold in figure.thresholds)


def _measure(text: str, figures: Iterable[str]) -> Measure:
    try:
        return measures.parse(text)
    except ReleaseError as error:
        known = ", ".join(figures) or "none"
        raise ReleaseError(f"{error.message}, or a figure of release.yaml ({known})") from error


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
