"""The candidate's slow requests against the baseline's, from latencies that came in buckets."""

import math
from dataclasses import dataclass, replace

from greenrun.domain.histogram import Histogram
from greenrun.domain.sequential.buckets import bound_from, bound_up_to, over
from greenrun.domain.sequential.comparison import under
from greenrun.domain.sequential.counts import Counts
from greenrun.domain.sequential.look import (
    NO_GAINS,
    Look,
    Memory,
    Outcome,
    begin,
    compared,
    renewed,
)
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

    What takes longer than about the baseline's quantile is slow, and what takes longer than that
    times 1 + `tolerated` is too slow, as far as buckets tell. Slow requests are compared as failed
    ones are, and so are those that are too slow, each with half of the stakes; only that what a
    revision answers within `stall` (seconds) weighs as one request. `alpha` is the chance of ever
    failing a candidate that is no slower. It passes when surely fewer of its requests are too slow
    than 1 - `share`, or than are slow of the baseline's; `missed` is the chance of ever passing one
    of which more are. Both bounds are fixed before anything is weighed by them, from the baseline
    alone: `alpha` holds wherever they come to lie.
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
        known = self._bounds(reference) if reference is not None and reference.total else None
        return replace(start, memory=Memory(gains=(NO_GAINS, NO_GAINS), bounds=known))

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
        memory = replace(before.memory, strict=over(candidate, too_slow))
        stalls = memory.stalls(seconds, self.stall, last=last)
        memory = self._remembered(memory, (candidate, baseline), stalls, seconds)
        one, other = over(candidate, slow), over(baseline, slow)
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
        memory = replace(
            before.memory,
            since=(strict, other),
            bounds=bounds,
            strict=strict,
            seconds=seconds,
            latencies=(candidate, baseline),
        )
        outcome = Outcome.INCONCLUSIVE if one.total else Outcome.NO_DATA
        return Look(one, other, before.evidence, outcome, memory)

    def _remembered(
        self, memory: Memory, both: tuple[Histogram, Histogram], stalls: float, seconds: float
    ) -> Memory:
        bounds = memory.bounds or ()
        new = [_since(memory.latencies, both, bound) for bound in bounds]
        if not (stalls and all(counts.total for each in new for counts in each)):
            return memory
        gained = (
            fell_more_to(weight(one, stalls), weight(other, stalls), self._usual(memory, bound))
            for bound, (one, other) in zip(bounds, new, strict=True)
        )
        return replace(memory.richer(*gained), latencies=both, seconds=seconds)

    def _usual(self, memory: Memory, bound: float) -> float:
        """The part of the baseline's that took longer; of few, near what is expected."""
        counts = over(memory.latencies[1], bound)
        return (counts.bad + _FEW * (1 - self.share)) / (counts.total + _FEW)

    def _for(self, memory: Memory, baseline: Counts) -> float:
        """Evidence that the candidate is rarely too slow: rarer than it may be, or than is usual.

        A candidate that is too slow by just what is tolerated takes longer than the upper bound as
        often as the baseline takes longer than the lower one.
        """
        strict, slow = memory.strict - memory.since[0], baseline - memory.since[1]
        absolute = better_than(strict, 1 - self.share)
        beside = under(strict, slow, 0.0)
        return log_of_sum((math.log(ABSOLUTE) + absolute, math.log(1 - ABSOLUTE) + beside))


def _since(
    before: tuple[Histogram, Histogram], both: tuple[Histogram, Histogram], bound: float
) -> tuple[Counts, Counts]:
    """New requests of either revision, those over the bound as bad."""
    one, other = (
        over(now, bound) - over(had, bound) for had, now in zip(before, both, strict=True)
    )
    return one, other
