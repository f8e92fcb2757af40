"""Traffic over time: what both revisions were asked, and what failed of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from greenrun.model.canary_step import CanaryStep, CountedBy, Observation
from greenrun.model.stats import Counts
from greenrun.reporting.charts.sheet import BASELINE, CANDIDATE, Sheet, explain, say, style
from greenrun.reporting.charts.timeline import POINTS, Timeline, thinned

_FEW = 30
"""Steps of the error rate: with more there are too few requests in one to tell a rate by."""


def drawn(steps: Sequence[CanaryStep]) -> bytes:
    """A column for each metric source who has counted any request; nothing where none has."""
    if not steps:
        return b""
    time = Timeline(steps)
    sources = [one for one in time.sources if any(map(_requests, time.observations(one)))]
    if not sources:
        return b""
    with style():
        sheet = Sheet(_title(time), 4.2)
        panels = sheet.figure.subplots(2, len(sources), sharex=True, squeeze=False)
        for counted_by, above, below in zip(sources, *panels, strict=True):
            _draw_requests(above, time, counted_by)
            _draw_failures(below, time, counted_by)
        return sheet.svg()


def _title(time: Timeline) -> str:
    shares = ", ".join(f"{one.share} %" for one in time.steps)
    return f"Traffic with a share of {shares} for the candidate"


@dataclass(frozen=True, slots=True)
class _Revision:
    name: str
    colour: str
    width: float
    counts: Callable[[Observation], Counts]


_REVISIONS = (
    _Revision("baseline", BASELINE, 3.2, lambda observation: observation.baseline.counts),
    _Revision("candidate", CANDIDATE, 1.6, lambda observation: observation.candidate.counts),
)


def _draw_requests(panel: Axes, time: Timeline, counted_by: CountedBy) -> None:
    time.lay_under(panel)
    time.label(panel)
    for one in _REVISIONS:
        edges, counted = _steps(time, counted_by, one, POINTS)
        rates = [
            counts.total / (until - since)
            for counts, (since, until) in zip(counted, pairwise(edges), strict=True)
        ]
        panel.stairs(rates, edges, color=one.colour, linewidth=one.width, baseline=None)
    panel.set_ylim(bottom=0)
    panel.set_title(f"Requests a second, by {counted_by.value}", pad=18)


def _draw_failures(panel: Axes, time: Timeline, counted_by: CountedBy) -> None:
    time.lay_under(panel)
    last, most = time.observations(counted_by)[-1], 0.0
    for one in _REVISIONS:
        edges, counted = _steps(time, counted_by, one, _FEW)
        rates = [counts.rate for counts in counted]
        told = f"{one.name}: {one.counts(last)} failed"
        panel.stairs(rates, edges, color=one.colour, linewidth=1.6, label=told)
        panel.stairs(rates, edges, color=one.colour, alpha=0.2, fill=True)
        most = max(most, *rates)
    panel.set_ylim(0, 1.1 * most or 1)
    panel.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:.4g} %"))
    panel.set_xlabel(time.unit)
    panel.set_title("Failed of all requests", pad=20)
    explain(panel)
    if not most:
        panel.set_yticks([0])
        say(panel, "none failed")


def _steps(
    time: Timeline, counted_by: CountedBy, revision: _Revision, most: int
) -> tuple[list[float], list[Counts]]:
    """When there was news from this metric source, and what was counted from each to the next."""
    points = [(0.0, Counts())]
    for observation in _news(time, counted_by, most):
        if time.at(observation.at) > points[-1][0]:
            points.append((time.at(observation.at), revision.counts(observation)))
    if len(points) == 1:
        return [0.0, time.seconds], [Counts()]
    counted = [new - old for (_, old), (_, new) in pairwise(points)]
    return [at for at, _ in points], counted


def _news(time: Timeline, counted_by: CountedBy, most: int) -> list[Observation]:
    """Return observations with more than before; our own probes know of silence as well."""
    observations = time.observations(counted_by)
    fresh = [
        new for old, new in pairwise([None, *observations]) if new and _requests(new) > _known(old)
    ]
    end = observations[-1:] if counted_by is CountedBy.PROBES else []
    return [*thinned(fresh, most), *end]


def _known(observation: Observation | None) -> int:
    return _requests(observation) if observation else 0


def _requests(observation: Observation) -> int:
    return observation.candidate.counts.total + observation.baseline.counts.total
