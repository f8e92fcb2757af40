"""Values that were counted in buckets, parted by one of the buckets' bounds."""

from bisect import bisect_left

from greenrun.model.histogram import Histogram
from greenrun.model.stats.counts import Counts


def over(histogram: Histogram, bound: float) -> Counts:
    """Values under one of the histogram's bounds are good, the others bad."""
    place = bisect_left(histogram.bounds, bound)
    good = sum(histogram.counts[: place + 1])
    return Counts(good, histogram.total - good)


def bound_from(histogram: Histogram, value: float) -> float:
    """The lowest of the histogram's bounds that is at least `value`; the highest, if none is."""
    place = bisect_left(histogram.bounds, value)
    return histogram.bounds[min(place, len(histogram.bounds) - 1)]


def bound_up_to(histogram: Histogram, value: float) -> float:
    """The highest of the histogram's bounds that is at most `value`; the lowest, if none is."""
    place = bisect_left(histogram.bounds, value)
    exact = place < len(histogram.bounds) and histogram.bounds[place] == value
    return histogram.bounds[place if exact else max(place - 1, 0)]
