"""The candidate's slow requests against the baseline's, from latencies that came in buckets."""

import math
from bisect import bisect_left
from dataclasses import dataclass, replace

from greenrun.domain.histogram import Histogram
from greenrun.domain.sequential.comparison import under
from greenrun.domain.sequential.counts import Counts
from greenrun.domain.sequential.look import Look, Memory, Outcome, begin, compared, renewed
from greenrun.domain.sequential.odds import better_than, log_of_sum
from greenrun.domain.sequential.stalls import fell_more_to, weight

ENOUGH = 100
"""Requests of the baseline from which a quantile is read where none is known from before."""

STALL = 0.25
"""Seconds for which an instance may hold up all of its requests."""

ABSOLUTE = 0.75
"""The part of the stakes on what the baseline took before; the rest is on what it takes meanwhile.

The former needs fewer requests, the latter holds where both revisions have become slower.
"""

_FEW = 20
"""Requests from which what was counted outweighs what is expected."""


@dataclass(frozen=True, slots=True)
class Quantile:
    """The candidate's quantile at `share` (0.95 is p95) against the baseline's.

    What takes longer than about the baseline's quantile is slow, and slow requests are compared as
    failed ones are, only that what a revision answers within `stall` (seconds) weighs as one
    request. `alpha` is the chance of ever failing a candidate that is no slower. It passes when its
    own quantile is surely under the baseline's times 1 + `tolerated`, as far as buckets tell;
    `missed` is the chance of ever passing one that is not. Both bounds are fixed before anything is
    weighed by them, from the baseline alone: `alpha` holds wherever they come to lie.
    """

    share: float
    tolerated: float = 0.25
    alpha: float = 0.01
    missed: float = 0.05
    stall: float = STALL

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
        self,
        before: Look,
        candidate: Histogram,
        baseline: Histogram,
        seconds: float,
        *,
        last: bool = False,
    ) -> Look:
        """Weigh the latencies that were counted in the `seconds` since the start.

        They are weighed once there may have been a stall since the last ones, or when it is the
        `last` look.

        Raises:
            ValueError: a count has fallen since `before`.
        """
        if before.memory.bounds is None:
            return self._calibrated(before, candidate, baseline, seconds)
        slow, too_slow = before.memory.bounds
        one, other = over(candidate, slow), over(baseline, slow)
        stalls = before.memory.stalls(seconds, self.stall, last=last)
        memory = self._remembered(before.memory, one, other, stalls, seconds)
        memory = replace(memory, strict=over(candidate, too_slow))
        return compared(before, one, other, self._for(memory, other), memory)

    def next_increment(self, before: Look) -> Look:
        """Ask anew for evidence for the candidate; that against it is kept over all increments."""
        since = (before.memory.strict, before.baseline)
        return renewed(before, replace(before.memory, since=since))

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

    def _calibrated(
        self, before: Look, candidate: Histogram, baseline: Histogram, seconds: float
    ) -> Look:
        if baseline.total < ENOUGH:
            return before
        slow, too_slow = bounds = self._bounds(baseline)
        strict = over(candidate, too_slow)
        one, other = over(candidate, slow), over(baseline, slow)
        since = (strict, other)
        memory = Memory(one, other, since=since, bounds=bounds, strict=strict, seconds=seconds)
        outcome = Outcome.INCONCLUSIVE if one.total else Outcome.NO_DATA
        return Look(one, other, before.evidence, outcome, memory)

    def _remembered(
        self, memory: Memory, candidate: Counts, baseline: Counts, stalls: float, seconds: float
    ) -> Memory:
        one, other = candidate - memory.candidate, baseline - memory.baseline
        if not (stalls and one.total and other.total):
            return memory
        usual = _smoothed(memory.baseline, 1 - self.share)
        gained = fell_more_to(weight(one, stalls), weight(other, stalls), usual)
        return replace(
            memory.richer(gained), candidate=candidate, baseline=baseline, seconds=seconds
        )

    def _for(self, memory: Memory, baseline: Counts) -> float:
        """Evidence that the candidate is rarely too slow: rarer than it may be, or than is usual.

        A candidate that is too slow by just what is tolerated takes longer than the upper bound as
        often as the baseline takes longer than the lower one.
        """
        strict, slow = memory.strict - memory.since[0], baseline - memory.since[1]
        absolute = better_than(strict, 1 - self.share)
        beside = under(strict, slow, 0.0)
        return log_of_sum((math.log(ABSOLUTE) + absolute, math.log(1 - ABSOLUTE) + beside))


def _smoothed(counts: Counts, expected: float) -> float:
    """The share of the bad ones; where there are few yet, near what is expected."""
    return (counts.bad + _FEW * expected) / (counts.total + _FEW)


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
