"""Evidence over time: how far each metric source was from a decision, and when it was made."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from greenrun.model.canary_step import CanaryStep, CountedBy, Observation
from greenrun.model.stats import Outcome, Result
from greenrun.reporting.charts.labels import Label, write_beside
from greenrun.reporting.charts.sheet import AGAINST, FAINT, FOR, INK, Sheet, say, style
from greenrun.reporting.charts.timeline import ENDED, POINTS, Timeline, spent, thinned

_TOP = 108.0
"""Percent; what is beyond is drawn here."""

_FULL, _EMPTY = 2.4, 0.7
"""Heights of a panel, in inches."""

_SIDES = {"against": AGAINST, "for": FOR}


def drawn(steps: Sequence[CanaryStep]) -> bytes:
    """A panel for each metric source; nothing where nothing was observed."""
    if not any(one.observations for one in steps):
        return b""
    time = Timeline(steps)
    with style():
        heights = [_FULL if _has_counted(time, one) else _EMPTY for one in time.sources]
        sheet = Sheet(steps[-1].sentence, 0.7 + sum(heights))
        panels = sheet.figure.subplots(
            len(heights), sharex=True, squeeze=False, height_ratios=heights
        )[:, 0]
        for panel, counted_by in zip(panels, time.sources, strict=True):
            _draw(panel, time, counted_by)
        time.label(panels[0])
        panels[-1].set_xlabel(time.unit)
        return sheet.svg()


def _draw(panel: Axes, time: Timeline, counted_by: CountedBy) -> None:
    time.lay_under(panel)
    panel.set_title(f"Evidence by {counted_by.value}", pad=18)
    if not _has_counted(time, counted_by):
        panel.set_yticks([])
        say(panel, "nothing had been counted by then")
        return
    _set_scale(panel)
    lines = _lines(time, counted_by)
    for line in lines:
        line.draw(panel)
    write_beside(panel, [line.label for line in lines])
    _mark_decision(panel, time, counted_by)


def _has_counted(time: Timeline, counted_by: CountedBy) -> bool:
    last = time.observations(counted_by)[-1]
    return bool(last.candidate.counts.total or last.baseline.counts.total)


def _set_scale(panel: Axes) -> None:
    panel.set_ylim(-4, _TOP + 6)
    panel.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %\ndecides"])
    panel.axhline(100, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    panel.axhline(0, color=FAINT, linewidth=0.8, zorder=1)


@dataclass(frozen=True, slots=True)
class _Line:
    """The evidence of one part on one side, in percent of what it takes."""

    part: str
    side: str
    decisive: bool
    seconds: Sequence[float]
    percent: Sequence[float]

    @property
    def label(self) -> Label:
        """Where it ends, with its name."""
        last = next((one for one in reversed(self.percent) if not math.isnan(one)), 0.0)
        colour = _SIDES[self.side] if self.decisive else FAINT
        told = f"{self.side}: {self.part}" if self.decisive else self.part
        return Label(last, told, colour, self.decisive)

    def draw(self, panel: Axes) -> None:
        panel.plot(
            self.seconds,
            self.percent,
            color=_SIDES[self.side],
            drawstyle="steps-post",
            linewidth=2.4 if self.decisive else 1,
            linestyle="-" if self.side == "against" else (0, (5, 1)),
            alpha=1 if self.decisive else 0.4,
            zorder=3 if self.decisive else 2,
            clip_on=False,
        )


def _lines(time: Timeline, counted_by: CountedBy) -> list[_Line]:
    """Both sides of the part that decided; of the others the side that would have decided so."""
    results = time.observations(counted_by)[-1].results
    telling = "against" if results.outcome is Outcome.FAIL else "for"
    return [
        _Line(part, side, part == results.decisive, *_course(time, counted_by, part, side))
        for part in results.by_part
        for side in (_SIDES if part == results.decisive else [telling])
    ]


def _course(
    time: Timeline, counted_by: CountedBy, part: str, side: str
) -> tuple[list[float], list[float]]:
    """Seconds and percent from nothing on; broken where evidence may begin anew."""
    seconds, percent = [0.0], [0.0]
    for step in time.steps:
        of_source = [
            observation for observation in step.observations if observation.counted_by is counted_by
        ]
        some = thinned(of_source, max(2, POINTS // len(time.steps)))
        seconds += [*(time.at(observation.at) for observation in some), math.nan]
        percent += [*(_percent(one.results.by_part.get(part), side) for one in some), math.nan]
    return seconds, percent


def _percent(result: Result | None, side: str) -> float:
    """Of what it takes; not a number where there is none to tell."""
    if result is None:
        return math.nan
    evidence = result.evidence
    against = (evidence.against, evidence.against_needed)
    got, needed = against if side == "against" else (evidence.for_, evidence.for_needed)
    if math.isnan(got) or not needed:
        return math.nan
    return min(max(100 * got / needed, 0.0), _TOP)


def _mark_decision(panel: Axes, time: Timeline, counted_by: CountedBy) -> None:
    """A line where this metric source came to what the canary came to, if it did."""
    last = time.steps[-1]
    observations = [
        observation for observation in last.observations if observation.counted_by is counted_by
    ]
    if not observations or observations[-1].results.outcome is not last.outcome:
        return
    is_decided = last.outcome in (Outcome.PASS, Outcome.FAIL)
    at = time.at(_first(observations, last.outcome).at if is_decided else last.ended)
    panel.axvline(at, color=INK, linewidth=1.2, zorder=4, clip_on=False)
    is_late = at > 0.6 * time.seconds
    panel.annotate(
        f"{ENDED[last.outcome]} after {spent(at)}",
        (at, 22 if is_decided else 78),
        xytext=(-6 if is_late else 6, 0),
        textcoords="offset points",
        ha="right" if is_late else "left",
        fontweight="bold",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2},
        zorder=5,
    )


def _first(observations: Sequence[Observation], outcome: Outcome) -> Observation:
    """The one from which on the outcome stood."""
    for place in reversed(range(len(observations))):
        if observations[place].results.outcome is not outcome:
            return observations[place + 1]
    return observations[0]
