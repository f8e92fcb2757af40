"""What requests took, in both revisions side by side."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

from greenrun.model.canary_step import CanaryStep, CountedBy, Observation
from greenrun.model.histogram import Histogram
from greenrun.reporting.charts.sheet import BASELINE, CANDIDATE, FAINT, INK, Sheet, explain, style

QUANTILES = {"p99": 0.99, "p95": 0.95, "p50": 0.5}
"""From the bottom of the panel up."""


def drawn(increments: Sequence[CanaryStep]) -> bytes:
    """A column for each watcher who timed requests of both; nothing where none did."""
    glances = [glance for watcher in CountedBy if (glance := _timed(increments, watcher))]
    if not glances:
        return b""
    with style():
        sheet = Sheet(_title(glances[0]), 4.2)
        panels = sheet.figure.subplots(
            2, len(glances), sharex="col", squeeze=False, height_ratios=(3, 2)
        )
        for glance, above, below in zip(glances, *panels, strict=True):
            _draw_shares(above, glance)
            _draw_quantiles(below, glance)
            _set_scale(below, glance, most_ticks=12 // len(glances))
        return sheet.svg()


def _timed(increments: Sequence[CanaryStep], watcher: CountedBy) -> Observation | None:
    """The last glance with latencies of both revisions."""
    for increment in reversed(increments):
        glance = increment.last(watcher)
        if glance and glance.candidate.latencies.total and glance.baseline.latencies.total:
            return glance
    return None


def _title(glance: Observation) -> str:
    mine, theirs = (one.latencies.quantile(0.95) for one in (glance.candidate, glance.baseline))
    return (
        f"95 of 100 requests took the candidate up to {_told(mine)}, "
        f"and the baseline up to {_told(theirs)}"
    )


def _draw_shares(panel: Axes, glance: Observation) -> None:
    """How many requests took how long; each step is a bucket."""
    for name, values, colour in _revisions(glance):
        edges, shares = _steps(values)
        told = f"{name}, {values.total:,} requests"
        panel.stairs(shares, edges, color=colour, linewidth=2, label=told)
        panel.stairs(shares, edges, color=colour, alpha=0.15, fill=True)
    panel.set_title(f"Timed by {glance.watcher.value}", pad=20)
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


def _draw_quantiles(panel: Axes, glance: Observation) -> None:
    """A row for each quantile: from the baseline's to the candidate's, and what it must keep."""
    limits = _limits(glance)
    for row, (name, share) in enumerate(QUANTILES.items()):
        values = {who: values.quantile(share) for who, values, _ in _revisions(glance)}
        panel.hlines(row, min(values.values()), max(values.values()), color=FAINT, linewidth=3)
        for who, _, colour in _revisions(glance):
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


def _limits(glance: Observation) -> dict[str, float]:
    """Milliseconds that a quantile must keep, by its name, where one has to."""
    looks = glance.standings.looks
    of_quantiles = {name: looks.get(f"{name} limit") for name in QUANTILES}
    bounds = {name: look.weighed.bounds for name, look in of_quantiles.items() if look}
    return {name: limit[0] for name, limit in bounds.items() if limit}


def _set_scale(panel: Axes, glance: Observation, most_ticks: int) -> None:
    """A logarithmic axis from the fastest to the slowest, limits included."""
    edges = [edge for _, values, _ in _revisions(glance) for edge in _steps(values)[0]]
    reach = [*edges, *_limits(glance).values()]
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


def _revisions(glance: Observation) -> Iterator[tuple[str, Histogram, str]]:
    yield "baseline", glance.baseline.latencies, BASELINE
    yield "candidate", glance.candidate.latencies, CANDIDATE


def _told(milliseconds: float) -> str:
    """As people say it: `85 ms`, `1.2 s`."""
    if milliseconds < 1000:
        return f"{milliseconds:.3g} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.3g} s"
