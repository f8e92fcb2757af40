"""The progress of a canary: a line while it runs, and a table and charts when it is over."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta

from greenrun.model.canary_step import CanaryStep, CountedBy, Observation, PeakObservation
from greenrun.model.interfaces import Dependencies, Evidence
from greenrun.model.stats import Outcome, Result, Results

_MORE_REQUESTS = (
    "send more requests (`canary.probes-per-second`), or allow more time (`canary.max-duration`)"
)
_FAILING = 0.01
"""The share of requests from which on a revision is said to fail."""

_IF_NO_DATA = {
    CountedBy.PROBES: "are the revision tags and `canary.probes` answered?",
    CountedBy.PLATFORM: "the platform has counted nothing yet:",
}


def line(share: int, observations: Iterable[Observation | PeakObservation], left: timedelta) -> str:
    """Return shares, then requests of both revisions and the evidence, for each metric source.

    The source that has least of what a pass takes comes first: the others wait for it, and lines
    are cut.
    """
    waited_for = sorted(observations, key=_percent_for)
    counted = "; ".join(map(_in_short, waited_for)) or "nothing was counted yet"
    return f"{share}/{100 - share} %, {max(left, timedelta()).seconds} s left; {counted}"


def look(
    share: int, observations: Iterable[Observation | PeakObservation], left: timedelta
) -> dict[str, object]:
    """Return the same as facts: requests counted of both revisions, and percents of a decision."""
    seen = tuple(observations)
    sources = [one for one in seen if isinstance(one, Observation)]
    return {
        "share": share,
        "seconds_left": max(left, timedelta()).seconds,
        "sources": [_source(one) for one in sources],
        "gauges": [str(one) for one in seen if isinstance(one, PeakObservation)],
    }


def _source(observation: Observation) -> dict[str, object]:
    against, for_ = _percents(observation.results)
    return {
        "by": observation.counted_by.value,
        "candidate": observation.candidate.counts.total,
        "baseline": observation.baseline.counts.total,
        "against": against,
        "for": for_,
    }


def table(step: CanaryStep) -> str:
    """Return the verdict, then requests, evidence and outcome of every part of every source."""
    counted = (row for last in map(step.last, CountedBy) if last for row in _rows(last))
    peaks = (row for peak in step.peaks for row in _rows_of_peak(peak))
    return "\n".join([str(step), *counted, *peaks])


def advice(step: CanaryStep) -> str:
    """Return what to do about a step that has not passed."""
    match step.outcome:
        case Outcome.NO_DATA:
            return _advice_without_data(step)
        case Outcome.INCONCLUSIVE:
            more = "`canary.max-error-increase`, `canary.max-latency-increase`"
            return _advice_where_both_fail(step) or (
                f"{_MORE_REQUESTS}; or allow larger increases ({more})"
            )
        case _:
            return _advice_on_failure(step)


def _percent_for(observation: Observation | PeakObservation) -> int:
    """Percent of what it takes to pass."""
    if isinstance(observation, PeakObservation):
        return 100 if observation.outcome is Outcome.PASS else 0
    return _percents(observation.results)[1]


def _in_short(observation: Observation | PeakObservation) -> str:
    if isinstance(observation, PeakObservation):
        return str(observation)
    requests = f"{observation.candidate.counts.total:,}/{observation.baseline.counts.total:,}"
    against, for_ = _percents(observation.results)
    return f"{observation.counted_by.value} {requests}: against {against} %, for {for_} %"


def _percents(results: Results) -> tuple[int, int]:
    """The most of what it takes to fail, and the least of what it takes to pass, over all parts."""
    parts = results.by_part.values()
    against = max(part.evidence.against / part.evidence.against_needed for part in parts)
    return _percent(against), _percent(min(map(_towards_pass, parts)))


def _towards_pass(part: Result) -> float:
    return 1.0 if part.outcome is Outcome.PASS else part.evidence.for_ / part.evidence.for_needed


def _percent(part: float) -> int:
    return round(100 * min(max(part, 0.0), 1.0))


def _rows(observation: Observation) -> Iterator[str]:
    counted_by = observation.counted_by.value
    yield f"\n{counted_by}: bad of all requests, and evidence in percent of what it takes"
    yield f"{'':<12}{'candidate':>18}{'baseline':>18}{'against':>9}{'for':>6}  outcome"
    for name, part in observation.results.by_part.items():
        against, for_ = _percents(Results({name: part}))
        counts = f"{part.candidate!s:>18}{part.baseline!s:>18}"
        yield f"{name:<12}{counts}{against:>9}{for_:>6}  {part.outcome.value}"


def _rows_of_peak(peak: PeakObservation) -> Iterator[str]:
    yield f"\n{CountedBy.PLATFORM.value}: the peak of {peak.measure} of each revision"
    yield f"{'':<12}{'candidate':>18}{'baseline':>18}{'at most':>15}  outcome"
    found = "".join(f"{one or 'no data'!s:>18}" for one in (peak.candidate, peak.baseline))
    yield f"{peak.measure:<12}{found}{peak.limit!s:>15}  {peak.outcome.value}"


def _advice_without_data(step: CanaryStep) -> str:
    silent = [_IF_NO_DATA[one.counted_by] for one in _ended_with(Outcome.NO_DATA, step)]
    return " ".join([*silent, _MORE_REQUESTS]) if silent else _remedies(Outcome.NO_DATA, step)


def _advice_where_both_fail(step: CanaryStep) -> str:
    """More requests tell nothing where what is wrong is in the baseline as well."""
    for last in filter(None, map(step.last, CountedBy)):
        of_candidate, of_baseline = last.candidate.counts.rate, last.baseline.counts.rate
        if min(of_candidate, of_baseline) > _FAILING:
            return (
                f"both revisions fail, {of_candidate:.1%} of the candidate's requests and "
                f"{of_baseline:.1%} of the baseline's ({last.counted_by.value}): mend that first, "
                "it is in both"
            )
    return ""


def _advice_on_failure(step: CanaryStep) -> str:
    if not _ended_with(Outcome.FAIL, step):
        return _remedies(Outcome.FAIL, step)
    last = step.last(CountedBy.PROBES)
    if last is not None and last.baseline.counts.rate > 0.5:
        return "the baseline fails our probes, too: see `canary.probes`, `probes.identities`"
    return "compare the figures of both revisions, and read the candidate's log in the report"


def _ended_with(outcome: Outcome, step: CanaryStep) -> list[Observation]:
    """Return the last observations of the sources that came to that."""
    lasts = [last for one in CountedBy if (last := step.last(one)) is not None]
    return [one for one in lasts if one.results.outcome is outcome]


def _remedies(outcome: Outcome, step: CanaryStep) -> str:
    return "; ".join(peak.remedy for peak in step.peaks if peak.outcome is outcome)


class CanaryCharts:
    """Draws the charts once nobody waits for the way back, beneath the sentence they belong to."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._place: Evidence | None = None

    def remember_place(self) -> None:
        """Have the charts beneath the sentence that runs now."""
        self._place = self._dependencies.evidence.here()

    def draw(self, steps: Sequence[CanaryStep]) -> None:
        """Attach the charts there, once; whatever fails in that changes nothing of the release."""
        place, self._place = self._place, None
        if place is None:
            return
        try:
            for chart in self._dependencies.charts.of_canary(steps):
                place.attach(chart.name, chart.svg, "image/svg+xml")
        except Exception as error:  # noqa: BLE001, see above
            with suppress(Exception):
                place.attach("charts of the canary", f"could not be drawn: {error!r}")
