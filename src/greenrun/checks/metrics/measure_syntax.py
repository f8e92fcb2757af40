"""Figures of release.yaml, measured by one reading of what a service tells."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan

from greenrun.checks.metrics.exposition import Exposition
from greenrun.checks.metrics.measures import Measure, NoData, Quantile, Ratio, Reading, Sum
from greenrun.checks.metrics.selector import Selector
from greenrun.model import monitoring
from greenrun.model.errors import ReleaseError


@dataclass(frozen=True, slots=True)
class Highest:
    """The highest of all series of a gauge, as alert rules look at it."""

    gauge: Selector

    def read(self, told: Exposition) -> Reading:
        """Measure it. Raises NoData."""
        found = [one.value for one in told.matching(self.gauge) if not isnan(one.value)]
        if not found:
            raise NoData(f"{self.gauge} is not told")
        return Reading(max(found))


def measure_of(figure: monitoring.Figure) -> Measure:
    """The measure that a figure stands for.

    Raises:
        ReleaseError: one reading cannot tell it.
    """
    match figure.reading:
        case monitoring.Share(part, whole):
            return Ratio(_sum(part), _sum(whole))
        case monitoring.Quantile(histogram, level):
            return Quantile(level, _selector(histogram), base="seconds")
        case monitoring.Level(gauge):
            return Highest(_selector(gauge))
        case monitoring.Rate():
            raise ReleaseError(
                f"figure {figure.name}: got a limit for a rate, which one reading cannot tell; "
                "needs a share, a quantile or a gauge"
            )


def _sum(selectors: Iterable[str]) -> Sum:
    return Sum(tuple(map(_selector, selectors)))


def _selector(text: str) -> Selector:
    return Selector.parse(text.removesuffix("{}"))
