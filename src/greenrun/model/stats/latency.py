"""The candidate's slow requests against the baseline's, from latencies that came in buckets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import add

from greenrun.model.histogram import UNKNOWN, Histogram
from greenrun.model.stats.buckets import bound_from, bound_up_to, over
from greenrun.model.stats.counts import Counts
from greenrun.model.stats.look import NO_GAINS, Result, Weighed, begin, compared, renewed
from greenrun.model.stats.odds import gained_on_better, together
from greenrun.model.stats.stalls import fell_more_to, weight

ENOUGH = 100
"""Requests of the baseline from which a quantile is read where none is known from before."""

STALL = 0.25
"""Seconds for which an instance may hold up all of its requests."""


_FEW = 20
"""Requests from which what was counted outweighs what is expected."""


Both = tuple[Counts, Counts]
"""Of the candidate, and of the baseline."""


@dataclass(frozen=True, slots=True)
class Quantile:
    """The candidate's quantile at `share` (0.95 is p95) against the baseline's.

    What takes longer than about the baseline's quantile is slow, and what takes longer than that
    times 1 + `max_error_increase` is too slow, as far as buckets tell. Slow requests are compared
    as failed ones are, and so are those that are too slow, each with half of the stakes; only that
    what a revision answers within `stall` (seconds) weighs as one request. `alpha` is the chance of
    ever failing a candidate that is no slower. It passes when surely fewer than 1 - `share` of its
    requests are too slow; `beta` is the chance of ever passing one of which more are.

    Both bounds follow what the baseline takes. They are always fixed before anything is weighed by
    them, from the baseline alone: `alpha` holds wherever they come to lie.
    """

    share: float
    max_error_increase: float = 0.25
    alpha: float = 0.01
    beta: float = 0.05
    stall: float = STALL

    @property
    def name(self) -> str:
        """As people call it: p50, p99, p99.9."""
        return f"p{100 * self.share:.4g}"

    def begin(self, reference: Histogram = UNKNOWN) -> Result:
        """Before anything was counted.

        `reference`: the baseline's latencies of earlier times, which count until enough of it were
        slow in the canary. Where there are none, its first requests of the canary serve for that,
        and what was counted until then is not weighed.
        """
        weighed = Weighed(gains=(NO_GAINS, NO_GAINS), enough=ENOUGH)
        if reference.total:
            enough = max(ENOUGH, _FEW / (1 - self.share))
            weighed = replace(weighed, bounds=self._bounds(reference), enough=enough)
        return replace(begin(self.alpha, self.beta), weighed=weighed)

    def look(
        self,
        before: Result,
        candidate: Histogram,
        baseline: Histogram,
        seconds: float,
        *,
        last: bool = False,
    ) -> Result:
        """Weigh the latencies that were counted in the `seconds` since the start.

        They are weighed once there may have been a stall since the last ones, or when it is the
        `last` look.

        Raises:
            ValueError: a count has fallen since `before`.
        """
        both = candidate, baseline
        if before.weighed.bounds is None and baseline.total < before.weighed.enough:
            return before
        weighed = self._remembered(before.weighed, both, seconds, last=last)
        told = _told(weighed)
        one, other = (over(each, told) for each in both)
        return compared(before, one, other, together(weighed.gains_for), weighed)

    def next_step(self, before: Result) -> Result:
        """Ask anew for evidence for the candidate; that against it is kept over all steps."""
        return renewed(before, replace(before.weighed, gains_for=NO_GAINS))

    def sentence(self, look: Result, unit: str = "ms") -> str:
        """The verdict as people say it."""
        if look.weighed.bounds is None:
            return "no data: it is not known yet what the baseline takes"
        return look.sentence(f"took over {_told(look.weighed):.4g} {unit}")

    def _bounds(self, reference: Histogram) -> tuple[float, float]:
        quantile = reference.quantile(self.share)
        beside = {bound_up_to(reference, quantile), bound_from(reference, quantile)}
        slow = min(beside, key=lambda bound: abs(over(reference, bound).rate - (1 - self.share)))
        return slow, bound_from(reference, quantile * (1 + self.max_error_increase))

    def _remembered(
        self, weighed: Weighed, both: tuple[Histogram, Histogram], seconds: float, *, last: bool
    ) -> Weighed:
        """With what is new; where no bound was known for that, it serves to find one."""
        stalls = weighed.room_for(self.stall, seconds, last=last)
        if weighed.bounds is not None:
            new = [_since(weighed.latencies, both, bound) for bound in weighed.bounds]
            if not (stalls and all(counts.total for each in new for counts in each)):
                return weighed
            weighed = self._with_gains(weighed, weighed.bounds, new, stalls)
        _, baseline = both
        follows = baseline.total >= weighed.enough
        bounds = self._bounds(baseline) if follows else weighed.bounds
        return replace(weighed, bounds=bounds, latencies=both, seconds=seconds)

    def _with_gains(
        self, weighed: Weighed, bounds: Sequence[float], new: Sequence[Both], stalls: float
    ) -> Weighed:
        gained = (
            fell_more_to(weight(one, stalls), weight(other, stalls), self._usual(weighed, bound))
            for bound, (one, other) in zip(bounds, new, strict=True)
        )
        *_, (too_slow, _) = new
        gained_for = gained_on_better(too_slow, 1 - self.share)
        gains_for = tuple(map(add, weighed.gains_for, gained_for))
        return replace(weighed.richer(*gained), gains_for=gains_for)

    def _usual(self, weighed: Weighed, bound: float) -> float:
        """The part of the baseline's that took longer; of few, near what is expected."""
        counts = over(weighed.latencies[1], bound)
        return (counts.bad + _FEW * (1 - self.share)) / (counts.total + _FEW)


def _told(weighed: Weighed) -> float:
    """Of the two bounds, the one by which more speaks against the candidate."""
    assert weighed.bounds is not None  # noqa: S101 - asked only where they are known
    slow, too_slow = weighed.bounds
    return too_slow if together(weighed.gains[1]) > together(weighed.gains[0]) else slow


def _since(
    before: tuple[Histogram, Histogram], both: tuple[Histogram, Histogram], bound: float
) -> Both:
    """New requests of either revision, those over the bound as bad."""
    one, other = (
        over(now, bound) - over(had, bound) for had, now in zip(before, both, strict=True)
    )
    return one, other
