"""The candidate's slow requests against the baseline's, from latencies that came in buckets."""

from bisect import bisect_left
from dataclasses import dataclass, replace

from greenrun.domain.histogram import Histogram
from greenrun.domain.sequential.comparison import weighed
from greenrun.domain.sequential.counts import Counts
from greenrun.domain.sequential.look import Look, Memory, Outcome, begin, renewed
from greenrun.domain.sequential.odds import better_than

ENOUGH = 100
"""Requests of the baseline from which a quantile is read where none is known from before."""


@dataclass(frozen=True, slots=True)
class Quantile:
    """The candidate's quantile at `share` (0.95 is p95) against the baseline's.

    What takes longer than about the baseline's quantile is slow, and slow requests are compared as
    failed ones are: `alpha` is the chance of ever failing a candidate that is no slower. It passes
    when its own quantile is surely under the baseline's times 1 + `tolerated`, as far as buckets
    tell; `missed` is the chance of ever passing one that is not. Both bounds are fixed before
    anything is weighed by them, from the baseline alone: `alpha` holds wherever they come to lie.
    """

    share: float
    tolerated: float = 0.25
    alpha: float = 0.01
    missed: float = 0.05

    @property
    def name(self) -> str:
        """As people call it: p50, p99, p99.9."""
        return f"p{100 * self.share:.4g}"

    def begin(self, reference: Histogram | None = None) -> Look:
        """Before anything was counted.

        `reference`: the baseline's latencies of earlier times; without it the baseline's first
        requests of the canary serve for that, and what was counted until then is not weighed.
        """
        start = begin(self.alpha, self.missed)
        if reference is None or not reference.total:
            return start
        return replace(start, memory=Memory(bounds=self._bounds(reference)))

    def look(
        self, before: Look, candidate: Histogram, baseline: Histogram, *, last: bool = False
    ) -> Look:
        """Weigh the latencies that were counted since the start.

        Raises:
            ValueError: a count has fallen since `before`.
        """
        if before.memory.bounds is None:
            return self._calibrated(before, candidate, baseline)
        slow, too_slow = before.memory.bounds
        strict = over(candidate, too_slow)
        for_ = better_than(strict - before.memory.since[0], 1 - self.share)
        remembering = replace(before, memory=replace(before.memory, strict=strict))
        return weighed(remembering, over(candidate, slow), over(baseline, slow), for_, last=last)

    def next_increment(self, before: Look) -> Look:
        """Ask anew for evidence for the candidate; that against it is kept over all increments."""
        return renewed(before, replace(before.memory, since=(before.memory.strict, Counts())))

    def sentence(self, look: Look, unit: str = "ms") -> str:
        """The verdict as people say it."""
        if look.memory.bounds is None:
            return "no data: it is not known yet what the baseline takes"
        return look.sentence(f"took over {look.memory.bounds[0]:.4g} {unit}")

    def _bounds(self, reference: Histogram) -> tuple[float, float]:
        quantile = reference.quantile(self.share)
        beside = {bound_up_to(reference, quantile), bound_from(reference, quantile)}
        slow = min(beside, key=lambda bound: abs(over(reference, bound).rate - (1 - self.share)))
        return slow, bound_from(reference, quantile * (1 + self.tolerated))

    def _calibrated(self, before: Look, candidate: Histogram, baseline: Histogram) -> Look:
        if baseline.total < ENOUGH:
            return before
        slow, too_slow = bounds = self._bounds(baseline)
        strict = over(candidate, too_slow)
        one, other = over(candidate, slow), over(baseline, slow)
        since = (strict, Counts())
        memory = Memory(one, other, since=since, bounds=bounds, strict=strict)
        outcome = Outcome.INCONCLUSIVE if one.total else Outcome.NO_DATA
        return Look(one, other, before.evidence, outcome, memory)


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
