"""Distributions that were counted in buckets, and the quantiles that can be read off them."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, zip_longest


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
        """How many values were counted."""
        return sum(self.counts)

    def __add__(self, other: "Histogram") -> "Histogram":
        """Both counts together.

        Raises:
            ValueError: the bounds differ.
        """
        if self.bounds != other.bounds:
            raise ValueError(f"got bounds {other.bounds}, needs {self.bounds} to be added")
        both = zip_longest(self.counts, other.counts, fillvalue=0)
        return Histogram(self.bounds, tuple(one + another for one, another in both))

    def quantile(self, share: float) -> float:
        """The value that `share` (0 to 1) of all values do not exceed, as far as can be told.

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
        """Where bucket `place` begins and ends; the open one ends where it begins."""
        low = self.bounds[place - 1] if place else 0.0
        return low, self.bounds[min(place, len(self.bounds) - 1)]


UNKNOWN = Histogram(())
"""Of which nothing was counted, in buckets that nobody knows."""
