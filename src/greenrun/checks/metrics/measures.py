"""Measures of a service by its own metrics: sums, ratios, quantiles and figures, in units."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import inf, isfinite, isnan
from typing import Protocol

from greenrun.checks.metrics.exposition import WRITTEN, Exposition, Selector
from greenrun.model import monitoring
from greenrun.model.errors import ReleaseError
from greenrun.model.objective import Quantity
from greenrun.model.stats import Histogram
from greenrun.model.text import MILLISECONDS

_SUM = rf"{WRITTEN}(?: \+ {WRITTEN})*"
_PART = rf"{WRITTEN}|\({_SUM}\)"
_RATIO = re.compile(rf"({_PART}) / ({_PART})")
_QUANTILE = re.compile(rf"p(\d\d?(?:\.\d+)?) of ({WRITTEN})")

_SCALES: Mapping[str, Mapping[str, float]] = {
    "seconds": {unit: MILLISECONDS["s"] / each for unit, each in MILLISECONDS.items()},
    "bytes": {"B": 1, "kB": 1e-3, "MB": 1e-6, "GB": 1e-9}
    | {"KiB": 2**-10, "MiB": 2**-20, "GiB": 2**-30},
    "ratio": {"%": 100},
}
"""How many of a unit make one of the base unit that a metric's name ends with.

Source: https://prometheus.io/docs/practices/naming/#base-units
"""


class NoData(Exception):
    """There is nothing to measure; says why. Never a pass."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured, in a base unit; `at_least` where it may be any number above."""

    value: float
    base: str = ""
    at_least: bool = False

    def in_unit(self, unit: str) -> Quantity:
        """The quantity in a unit that people compare with; none is the base unit itself.

        Raises:
            ReleaseError: the measure has no such unit.
        """
        scales = {**_SCALES.get(self.base, {}), "": 1}
        if unit not in scales:
            known = " or ".join(other or "no unit" for other in scales)
            raise ReleaseError(f"got a limit in {unit}, needs one in {known}")
        return Quantity(self.value * scales[unit], unit)


class Measure(Protocol):
    """Something to be measured of a service by what it tells."""

    def read(self, told: Exposition) -> Reading:
        """Measure it. Raises NoData."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What the samples of some series add up to."""

    parts: tuple[Selector, ...]

    def read(self, told: Exposition) -> Reading:
        """Measure it. Raises NoData where one of the parts is not told."""
        values = [_value(told, part) for part in self.parts]
        bases = {_base(part.name) for part in self.parts}
        return Reading(sum(values), bases.pop() if len(bases) == 1 else "")


@dataclass(frozen=True, slots=True)
class Ratio:
    """One sum by another."""

    one: Sum
    other: Sum

    def read(self, told: Exposition) -> Reading:
        """Measure it. Raises NoData where there is nothing to divide by."""
        one, other = self.one.read(told), self.other.read(told)
        if not other.value:
            raise NoData(f"{' + '.join(map(str, self.other.parts))} is 0")
        base = one.base if not other.base else ""
        return Reading(one.value / other.value, "ratio" if one.base == other.base else base)


@dataclass(frozen=True, slots=True)
class Quantile:
    """The value of a histogram that a share (0 to 1) of all its values do not exceed.

    `base` is the unit that it counts in, where its name does not tell.
    """

    share: float
    of: Selector
    base: str = ""

    def read(self, told: Exposition) -> Reading:
        """Measure it as Prometheus' histogram_quantile does, over all series together.

        Values count as spread evenly over their bucket. Beyond the last finite bound nothing is
        known but that bound.

        Raises:
            NoData: nothing was counted, or there is no such histogram.
            ReleaseError: its series have different buckets.

        Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
        """
        histogram = _histogram(told, self.of)
        finite = sum(histogram.counts[:-1])
        return Reading(
            histogram.quantile(self.share),
            self.base or _base(self.of.name),
            at_least=self.share * histogram.total > finite,
        )


def parse(text: str) -> Measure:
    """What people wrote: `p95 of NAME`, `NAME / (NAME + NAME)`, `NAME`; with labels or without.

    Raises:
        ReleaseError: it is none of these.
    """
    if found := _QUANTILE.fullmatch(text):
        return Quantile(float(found[1]) / 100, Selector.parse(found[2]))
    if found := _RATIO.fullmatch(text):
        return Ratio(_sum(found[1]), _sum(found[2]))
    if re.fullmatch(_SUM, text):
        return _sum(text)
    raise ReleaseError(
        f"got measure {text!r}, needs one like `p95 of request_seconds`, `hits_total / "
        '(hits_total + misses_total)` or `requests_total{status="500"}`'
    )


def _sum(text: str) -> Sum:
    return Sum(tuple(map(Selector.parse, re.findall(WRITTEN, text))))


def _value(told: Exposition, selector: Selector) -> float:
    value = told.value(selector)
    if isnan(value):
        raise NoData(f"{selector} is not told")
    return value


def _base(name: str) -> str:
    """The base unit that a name ends with."""
    stem = re.sub("_(total|sum)$", "", name)
    return next((base for base in _SCALES if stem.endswith(f"_{base}")), "")


def _histogram(told: Exposition, selector: Selector) -> Histogram:
    """All series that are meant, in one. At least one bound is finite, and one value counted."""
    bounds, reached = _buckets(told, selector)
    if len(bounds) < 2 or bounds[-1] != inf or not all(map(isfinite, reached)):
        raise NoData(f"{selector} is not told as a histogram")
    rising = accumulate(reached, max)
    counts = tuple(round(high - low) for low, high in pairwise((0, *rising)))
    if not sum(counts):
        raise NoData(f"{selector} has counted nothing")
    return _bounded(bounds[:-1], counts)


def _bounded(bounds: Sequence[float], counts: Sequence[int]) -> Histogram:
    """A first bucket without a lower bound is as narrow as can be; one above zero begins there."""
    if bounds[0] > 0:
        return Histogram(tuple(bounds), tuple(counts))
    return Histogram((bounds[0], *bounds), (0, *counts))


def _buckets(told: Exposition, selector: Selector) -> tuple[list[float], list[float]]:
    """Bounds and how many values do not exceed each, over all series of a histogram."""
    series: dict[frozenset[tuple[str, str]], dict[float, float]] = defaultdict(dict)
    for sample in told.matching(Selector(f"{selector.name}_bucket", selector.matchers)):
        labels = dict(sample.labels)
        bound = float(labels.pop("le", "nan"))
        if isfinite(bound) or bound == inf:
            series[frozenset(labels.items())][bound] = sample.value
    layouts = {tuple(sorted(found)) for found in series.values()}
    if len(layouts) > 1:
        raise ReleaseError(f"{selector}: got series with different buckets, needs one of them")
    bounds = [bound for layout in layouts for bound in layout]
    return bounds, [sum(found[bound] for found in series.values()) for bound in bounds]


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
            return Ratio(_sum_of(part), _sum_of(whole))
        case monitoring.Quantile(histogram, level):
            return Quantile(level, _selector(histogram), base="seconds")
        case monitoring.Level(gauge):
            return Highest(_selector(gauge))
        case monitoring.Rate():
            raise ReleaseError(
                f"figure {figure.name}: got a limit for a rate, which one reading cannot tell; "
                "needs a share, a quantile or a gauge"
            )


def _sum_of(selectors: Iterable[str]) -> Sum:
    return Sum(tuple(map(_selector, selectors)))


def _selector(text: str) -> Selector:
    return Selector.parse(text.removesuffix("{}"))
