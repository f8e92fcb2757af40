"""Time since the canary began: its axis, its steps, and the observations that stand on it."""

from collections.abc import Sequence
from datetime import timedelta

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MultipleLocator

from greenrun.model.canary_step import CanaryStep, CountedBy, Observation
from greenrun.model.stats import Outcome
from greenrun.reporting.charts.sheet import BAND, FAINT

POINTS = 120
"""Of a line; more cannot be told apart."""

_STEPS = (0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
"""From one tick of the axis to the next, in seconds."""

ENDED = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "rolled back",
    Outcome.INCONCLUSIVE: "undecided",
    Outcome.NO_DATA: "no data",
}


class Timeline:
    """The steps of a canary on one axis, in seconds since the first of them began."""

    def __init__(self, steps: Sequence[CanaryStep]) -> None:
        self.steps = steps
        self.began = steps[0].began
        self.seconds = max(self.at(steps[-1].ended), 1.0)

    def at(self, time: timedelta) -> float:
        """Seconds since the canary began."""
        return (time - self.began).total_seconds()

    @property
    def sources(self) -> list[CountedBy]:
        """The metric sources that were read."""
        seen = {observation.counted_by for one in self.steps for observation in one.observations}
        return [counted_by for counted_by in CountedBy if counted_by in seen]

    def observations(self, counted_by: CountedBy) -> list[Observation]:
        """All of one metric source, oldest first."""
        every = (observation for one in self.steps for observation in one.observations)
        return [observation for observation in every if observation.counted_by is counted_by]

    def lay_under(self, panel: Axes) -> None:
        """Shade the steps, and scale the axis."""
        for place, one in enumerate(self.steps):
            start, end = self.at(one.began), self.at(one.ended)
            if place % 2 == 0:
                panel.axvspan(start, end, color=BAND, linewidth=0, zorder=0)
        panel.set_xlim(0, self.seconds)
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: self._told(value)))
        step = next((one for one in _STEPS if self.seconds / one <= 8), self.seconds)
        panel.xaxis.set_major_locator(MultipleLocator(step))

    @property
    def unit(self) -> str:
        """What the axis counts."""
        return f"{'seconds' if self._is_short else 'minutes'} since the canary began"

    @property
    def _is_short(self) -> bool:
        return self.seconds < 120

    def _told(self, seconds: float) -> str:
        if self._is_short:
            return f"{seconds:g}"
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes}:{rest:02}" if rest else f"{minutes}"

    def label(self, panel: Axes) -> None:
        """Write the share over each step, and how it ended where there is room for that."""
        for one in self.steps:
            start, end = self.at(one.began), self.at(one.ended)
            roomy = (end - start) / self.seconds > 0.2
            told = f"{one.share} % {ENDED[one.outcome]}" if roomy else f"{one.share} %"
            panel.annotate(
                told,
                ((start + end) / 2, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                color=FAINT,
            )


def spent(seconds: float) -> str:
    """As people say it: `45 s`, `2 min 30 s`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def thinned(observations: Sequence[Observation], most: int = POINTS) -> list[Observation]:
    """At most so many, evenly chosen; the first and the last are among them."""
    if len(observations) <= most:
        return list(observations)
    step = (len(observations) - 1) / (most - 1)
    return [observations[round(place * step)] for place in range(most)]
