"""What was counted: requests by how they went, and their latencies in buckets."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, zip_longest


@dataclass(frozen=True, slots=True)
class Counts:
    """Good and bad requests of one revision, since a moment that the metric source chooses."""

    good: int = 0
    bad: int = 0

    def __post_init__(self) -> None:
        if self.good < 0 or self.bad < 0:
            raise ValueError(f"got {self.good} good and {self.bad} bad, needs 0 or more of each")

    @property
    def total(self) -> int:
        """All requests."""
        return self.good + self.bad

    @property
    def rate(self) -> float:
        """The share of the bad ones, 0 to 1; 0 of none."""
        return self.bad / self.total if self.total else 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.good + other.good, self.bad + other.bad)

    def __sub__(self, earlier: "Counts") -> "Counts":
        """Return what was counted since `earlier`.

        Raises:
            ValueError: a count has fallen.
        """
        if self.good < earlier.good or self.bad < earlier.bad:
            raise ValueError(f"got {self!r} after {earlier!r}, needs counts that never fall")
        return Counts(self.good - earlier.good, self.bad - earlier.bad)

    def __str__(self) -> str:
        return f"{self.bad:,} of {self.total:,}"


@dataclass(frozen=True, slots=True)
class EffectiveCounts:
    """Requests that are correlated, as the number of independent ones that they are worth."""

    total: float = 0.0
    bad: float = 0.0


def effective_counts(counts: Counts, stalls: float) -> EffectiveCounts:
    """Discount requests that came in a time that so many stalls fill.

    Where all that fall into the same stall fare alike, they are worth this number of independent
    ones: n / (1 + (n - 1) / s). Source: L. Kish, Survey Sampling, 1965, the design effect.
    """
    if not (counts.total and stalls):
        return EffectiveCounts()
    total = counts.total / (1 + (counts.total - 1) / stalls)
    return EffectiveCounts(total, total * counts.rate)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between rising bounds: below the first, between each two, from the last on.

    `counts` may be shorter than that; what is missing is zero. Values are not negative.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...] = ()

    @classmethod
    def exponential(
        cls, finite_buckets: int, growth: float, scale: float, counts: Iterable[int] = ()
    ) -> "Histogram":
        """Bounds at `scale` times the powers of `growth`, `finite_buckets` buckets between them.

        Source: google.api.Distribution.BucketOptions.Exponential.
        """
        bounds = tuple(scale * growth**power for power in range(finite_buckets + 1))
        return cls(bounds, tuple(counts))

    @property
    def total(self) -> int:
        """The number of values."""
        return sum(self.counts)

    def __add__(self, other: "Histogram") -> "Histogram":
        """Add the counts, bucket by bucket.

        Raises:
            ValueError: the bounds differ.
        """
        if self.bounds != other.bounds:
            raise ValueError(f"got bounds {other.bounds}, needs {self.bounds} to be added")
        both = zip_longest(self.counts, other.counts, fillvalue=0)
        return Histogram(self.bounds, tuple(one + another for one, another in both))

    def quantile(self, share: float) -> float:
        """Return the value that `share` (0 to 1) of all values do not exceed.

        Values count as spread evenly over their bucket, so the answer lies in the bucket of the
        true one; for the last, which is open, it is the lower bound.

        Raises:
            ValueError: nothing was counted.
        """
        if not self.total:
            raise ValueError("got an empty histogram, needs values to have quantiles")
        rank = share * self.total
        for place, reached in enumerate(accumulate(self.counts)):
            if reached >= rank and self.counts[place]:
                break
        low, high = self.edges(place)
        inside = (rank - (reached - self.counts[place])) / self.counts[place]
        return low + (high - low) * max(inside, 0.0)

    def edges(self, place: int) -> tuple[float, float]:
        """Return where bucket `place` begins and ends; the open one ends where it begins."""
        low = self.bounds[place - 1] if place else 0.0
        return low, self.bounds[min(place, len(self.bounds) - 1)]

    def split_at(self, bound: float) -> Counts:
        """Count values under one of the bounds as good, the others as bad."""
        place = bisect_left(self.bounds, bound)
        good = sum(self.counts[: place + 1])
        return Counts(good, self.total - good)

    def bound_at_or_above(self, value: float) -> float:
        """Return the lowest bound that is at least `value`; the highest, if none is."""
        place = bisect_left(self.bounds, value)
        return self.bounds[min(place, len(self.bounds) - 1)]

    def bound_at_or_below(self, value: float) -> float:
        """Return the highest bound that is at most `value`; the lowest, if none is."""
        place = bisect_left(self.bounds, value)
        exact = place < len(self.bounds) and self.bounds[place] == value
        return self.bounds[place if exact else max(place - 1, 0)]


UNKNOWN = Histogram(())
"""Nothing was counted, and the buckets are not known."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one revision has answered in the `seconds` since the canary began.

    Its latencies are in milliseconds.
    """

    counts: Counts
    latencies: Histogram = UNKNOWN
    seconds: float = 0.0
