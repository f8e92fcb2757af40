"""The candidate's bad requests against the baseline's, look by look."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from greenrun.model.stats.counts import Counts
from greenrun.model.stats.look import Result, Weighed, begin, compared, renewed
from greenrun.model.stats.odds import better_than, fell_to, hedged_worse_than

BLOCK = 32
"""Fewest requests that are weighed together."""

_FINE = 1e-6
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Sequential:
    """A test that may be looked at at every moment.

    `alpha`: the chance of ever failing a candidate that is no worse than the baseline.
    `max_error_increase`: the rise of the bad requests' share that still passes; 0.01 is 1
    percentage point.
    `beta`: the chance of ever passing a candidate that is worse by that or more.

    Requests are weighed in blocks: those since the last block, as soon as there are BLOCK of them.
    Within a block all that counts is how the bad ones fell to the two revisions, given how many
    requests each had. So nothing is assumed of the shares, nor of how they or the error rates
    change from block to block; within one, the routing is random, or the error rate steady. When to
    look may depend on the clock and on how many requests there were, not on how they went.

    Source: M. Lindon, C. Sanden, V. Shirikian, Rapid Regression Detection in Software Deployments
    through Sequential Testing, KDD 2022; with the shares that were for those that were asked.
    """

    alpha: float = 0.01
    max_error_increase: float = 0.01
    beta: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.max_error_increase < 1:
            raise ValueError(
                f"got tolerated {self.max_error_increase}, needs to be between 0 and 1"
            )

    def begin(self) -> Result:
        """Before anything was counted."""
        return begin(self.alpha, self.beta)

    def look(
        self, before: Result, candidate: Counts, baseline: Counts, *, last: bool = False
    ) -> Result:
        """Weigh what was counted since the start; `last` also weighs a block that is not full.

        Raises:
            ValueError: a count has fallen since `before`.
        """
        one, other = before.weighed.since
        for_ = under(candidate - one, baseline - other, self.max_error_increase)
        weighed = _remembered(before.weighed, candidate, baseline, 1 if last else BLOCK)
        return compared(before, candidate, baseline, for_, weighed)

    def next_step(self, before: Result) -> Result:
        """Ask anew for evidence for the candidate; that against it is kept over all steps."""
        return renewed(before, replace(before.weighed, since=(before.candidate, before.baseline)))


def _remembered(weighed: Weighed, candidate: Counts, baseline: Counts, fewest: int) -> Weighed:
    """With one more block, where there are enough requests for it."""
    new_candidate, new_baseline = candidate - weighed.candidate, baseline - weighed.baseline
    if new_candidate.total + new_baseline.total < fewest:
        return weighed
    gained = fell_to(new_candidate, new_baseline)
    return replace(weighed.richer(gained), candidate=candidate, baseline=baseline)


def under(candidate: Counts, baseline: Counts, max_error_increase: float) -> float:
    """Log evidence that the candidate is worse by less than that, on average over these.

    For any rate there is evidence that the baseline's is higher, or that the candidate's is less
    than `max_error_increase` above it. The baseline's own rate is one of them, though nobody knows
    which, so the least evidence counts. It is convex in the rate.
    """

    def evidence(rate: float) -> float:
        return better_than(candidate, rate + max_error_increase) + hedged_worse_than(baseline, rate)

    return least(evidence, 1.0 - max_error_increase, _FINE * max(max_error_increase, 0.01))


def least(convex: Callable[[float], float], high: float, within: float) -> float:
    """The least value of a convex function from 0 to `high`, its place being found `within`."""
    low = 0.0
    while high - low > within:
        first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, second) if convex(first) < convex(second) else (first, high)
    return min(convex(low), convex(high))
