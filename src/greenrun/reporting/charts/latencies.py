"""What requests took, in both revisions side by side."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

from greenrun.model.canary_step import CanaryStep, CountedBy, Observation
from greenrun.model.stats import Histogram
from greenrun.reporting.charts.sheet import BASELINE, CANDIDATE, FAINT, INK, Sheet, explain, style

QUANTILES = {"p99": 0.99, "p95": 0.95, "p50": 0.5}
"""From the bottom of the panel up."""


def drawn(steps: Sequence[CanaryStep]) -> bytes:
    """A column for each metric source who timed requests of both; nothing where none did."""
    observations = [
        observation for counted_by in CountedBy if (observation := _timed(steps, counted_by))
    ]
    if not observations:
        return b""
    with style():
        sheet = Sheet(_title(observations[0]), 4.2)
        panels = sheet.figure.subplots(
            2, len(observations), sharex="col", squeeze=False, height_ratios=(3, 2)
        )
        for observation, above, below in zip(observations, *panels, strict=True):
            _draw_shares(above, observation)
            _draw_quantiles(below, observation)
            _set_scale(below, observation, most_ticks=12 // len(observations))
        return sheet.svg()


def _timed(steps: Sequence[CanaryStep], counted_by: CountedBy) -> Observation | None:
    """The last observation with latencies of both revisions."""
    for step in reversed(steps):
        observation = step.last(counted_by)
        if (
            observation
            and observation.candidate.latencies.total
            and observation.baseline.latencies.total
        ):
            return observation
    return None


def _title(observation: Observation) -> str:
    mine, theirs = (
        one.latencies.quantile(0.95) for one in (observation.candidate, observation.baseline)
    )
    return (
        f"95 of 100 requests took the candidate up to {_told(mine)}, "
        f"and the baseline up to {_told(theirs)}"
    )


def _draw_shares(panel: Axes, observation: Observation) -> None:
    """How many requests took how long; each step is a bucket."""
    for name, values, colour in _revisions(observation):
        edges, shares = _steps(values)
        told = f"{name}, {values.total:,} requests"
        panel.stairs(shares, edges, color=colour, linewidth=2, label=told)
        panel.stairs(shares, edges, color=colour, alpha=0.15, fill=True)
    panel.set_title(f"Timed by {observation.counted_by.value}", pad=20)
    panel.set_ylabel("share of requests")
    panel.set_ylim(bottom=0)
    panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    explain(panel)


def _steps(values: Histogram) -> tuple[list[float], list[float]]:
    """Edges of the buckets between the first and the last that hold any, and their shares."""
    filled = [place for place, count in enumerate(values.counts) if count]
    places = range(filled[0], filled[-1] + 1)
    edges = [_edge(values, place) for place in (*places, places[-1] + 1)]
    return edges, [values.counts[place] / values.total for place in places]


def _edge(values: Histogram, place: int) -> float:
    """Where a bucket begins, on an axis that has neither zero nor an end."""
    bounds = [bound for bound in values.bounds if bound > 0] or [1.0]
    known = values.bounds[place - 1] if 0 < place <= len(values.bounds) else 0.0
    if known > 0:
        return known
    return 2 * bounds[-1] if place > len(values.bounds) else bounds[0] / 2


def _draw_quantiles(panel: Axes, observation: Observation) -> None:
    """A row for each quantile: from the baseline's to the candidate's, and what it must keep."""
    limits = _limits(observation)
    for row, (name, share) in enumerate(QUANTILES.items()):
        values = {who: values.quantile(share) for who, values, _ in _revisions(observation)}
        panel.hlines(row, min(values.values()), max(values.values()), color=FAINT, linewidth=3)
        for who, _, colour in _revisions(observation):
            panel.plot(values[who], row, color=colour, zorder=3, **_MARKS[who])
        _tell(panel, row, values["baseline"], values["candidate"])
        if name in limits:
            _draw_limit(panel, row, limits[name])
    panel.set_yticks(range(len(QUANTILES)), list(QUANTILES))
    panel.set_ylim(-0.6, len(QUANTILES) - 0.4)
    panel.tick_params(axis="y", length=0)
    panel.set_xlabel("latency")


_MARKS: Mapping[str, Mapping[str, Any]] = {
    "candidate": {"marker": "D", "markersize": 7},
    "baseline": {"marker": "o", "markersize": 8},
}


def _tell(panel: Axes, row: int, baseline: float, candidate: float) -> None:
    """Both figures in words, above their row."""
    change = round(100 * (candidate / baseline - 1)) if baseline > 0 else 0
    panel.annotate(
        f"{_told(baseline)} → {_told(candidate)}" + (f" ({change:+} %)" if change else ""),
        (math.sqrt(max(baseline, 1e-3) * max(candidate, 1e-3)), row),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        fontsize=9,
    )


def _draw_limit(panel: Axes, row: int, limit: float) -> None:
    panel.plot(limit, row, marker="|", markersize=18, markeredgewidth=2, color=INK, zorder=3)
    panel.annotate(
        f"limit {_told(limit)}",
        (limit, row),
        xytext=(5, -3),
        textcoords="offset points",
        fontsize=9,
    )


def _limits(observation: Observation) -> dict[str, float]:
    """Milliseconds that a quantile must keep, by its name, where one has to."""
    parts = observation.results.by_part
    of_quantiles = {name: parts.get(f"{name} limit") for name in QUANTILES}
    bounds = {name: part.state.bounds for name, part in of_quantiles.items() if part}
    return {name: limit[0] for name, limit in bounds.items() if limit}


def _set_scale(panel: Axes, observation: Observation, most_ticks: int) -> None:
    """A logarithmic axis from the fastest to the slowest, limits included."""
    edges = [edge for _, values, _ in _revisions(observation) for edge in _steps(values)[0]]
    reach = [*edges, *_limits(observation).values()]
    panel.set_xscale("log")
    panel.set_xlim(min(reach) / 1.1, max(reach) * 1.25)
    low, high = panel.get_xlim()
    panel.xaxis.set_major_locator(FixedLocator(_ticks(low, high, most_ticks)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _told(value)))


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Round figures in that range, at most so many where powers of ten are not more."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for leading in ((1, 2, 5), (1, 3), (1,)):
        every = [one * 10.0**power for power in powers for one in leading]
        ticks = [tick for tick in every if low <= tick <= high]
        if len(ticks) <= most:
            break
    return ticks


def _revisions(observation: Observation) -> Iterator[tuple[str, Histogram, str]]:
    yield "baseline", observation.baseline.latencies, BASELINE
    yield "candidate", observation.candidate.latencies, CANDIDATE


def _told(milliseconds: float) -> str:
    """As people say it: `85 ms`, `1.2 s`."""
    if milliseconds < 1000:
        return f"{milliseconds:.3g} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.3g} s"
