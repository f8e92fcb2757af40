"""The tests of one quantity: error rates, a limit, and a quantile of latency."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import add

from greenrun.model.stats.bets import (
    NO_GAINS,
    evidence_above,
    evidence_below,
    fisher_gains,
    gains_below,
    hedged_evidence_above,
    log_mixture,
    two_sample_gains,
)
from greenrun.model.stats.result import (
    Outcome,
    Result,
    SequentialState,
    initial_result,
    next_outcome,
    result_at_next_step,
    result_of_comparison,
)
from greenrun.model.stats.samples import UNKNOWN, Counts, Histogram, effective_counts

BLOCK = 32
"""Fewest requests that are tested together."""

CALIBRATION = 100
"""Requests of the baseline from which a quantile is read where none is known from before."""

STALL = 0.25
"""Seconds for which an instance may hold up all of its requests."""

_PRIOR = 20
"""Requests from which what was counted outweighs what is expected."""

_TOLERANCE = 1e-6
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class ErrorRateComparison:
    """The candidate's error rate against the baseline's, at any time.

    `alpha`: the chance of ever failing a candidate that is no worse than the baseline.
    `max_error_increase`: the rise of the bad requests' share that still passes; 0.01 is 1
    percentage point.
    `beta`: the chance of ever passing a candidate that is worse by that or more.

    Requests are tested in blocks: those since the last block, as soon as there are BLOCK of them.
    Within a block all that counts is how the bad ones fell to the two revisions, given how many
    requests each had. So nothing is assumed of the shares, nor of how they or the error rates
    change from block to block; within one, the routing is random, or the error rate steady. When to
    observe may depend on the clock and on how many requests there were, not on how they went.

    Source: M. Lindon, C. Sanden, V. Shirikian, Rapid Regression Detection in Software Deployments
    through Sequential Testing, KDD 2022; with the shares that were for those that were asked.
    """

    alpha: float = 0.01
    max_error_increase: float = 0.01
    beta: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.max_error_increase < 1:
            raise ValueError(
                f"got max_error_increase {self.max_error_increase}, needs to be between 0 and 1"
            )

    def start(self) -> Result:
        """Return the result before anything was counted."""
        return initial_result(self.alpha, self.beta)

    def update(
        self, before: Result, candidate: Counts, baseline: Counts, *, last: bool = False
    ) -> Result:
        """Test what was counted since the start; `last` also tests a block that is not full.

        Raises:
            ValueError: a count has fallen since `before`.
        """
        one, other = before.state.since
        for_ = evidence_within(candidate - one, baseline - other, self.max_error_increase)
        state = _with_block(before.state, candidate, baseline, 1 if last else BLOCK)
        return result_of_comparison(before, candidate, baseline, for_, state)

    def next_step(self, before: Result) -> Result:
        """Start evidence for the candidate anew; that against it is kept over all steps."""
        since = (before.candidate, before.baseline)
        return result_at_next_step(before, replace(before.state, since=since))


def _with_block(
    state: SequentialState, candidate: Counts, baseline: Counts, fewest: int
) -> SequentialState:
    """Add one more block, where there are enough requests for it."""
    new_candidate, new_baseline = candidate - state.candidate, baseline - state.baseline
    if new_candidate.total + new_baseline.total < fewest:
        return state
    gained = fisher_gains(new_candidate, new_baseline)
    return replace(state.with_gains(gained), candidate=candidate, baseline=baseline)


def evidence_within(candidate: Counts, baseline: Counts, max_error_increase: float) -> float:
    """Log evidence that the candidate is worse by less than that, on average over these.

    For any rate there is evidence that the baseline's is higher, or that the candidate's is less
    than `max_error_increase` above it. The baseline's own rate is one of them, though nobody knows
    which, so the least evidence counts. It is convex in the rate.
    """

    def evidence(rate: float) -> float:
        below = evidence_below(candidate, rate + max_error_increase)
        return below + hedged_evidence_above(baseline, rate)

    tolerance = _TOLERANCE * max(max_error_increase, 0.01)
    return minimum(evidence, 1.0 - max_error_increase, tolerance)


def minimum(convex: Callable[[float], float], high: float, tolerance: float) -> float:
    """Return the least value of a convex function from 0 to `high`, by golden-section search.

    Its place is found to within `tolerance`.
    """
    low = 0.0
    while high - low > tolerance:
        first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, second) if convex(first) < convex(second) else (first, high)
    return min(convex(low), convex(high))


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The candidate's share of bad requests, on average, is under `limit` (0 to 1).

    It does not rest on the baseline. `alpha`: the chance of ever failing a candidate that keeps it.
    `beta`: the chance of ever passing one that does not. The rate may change from request to
    request. `stall`: the seconds in which bad requests may have one cause, and count against the
    candidate as one; 0 for none.
    """

    limit: float = 0.05
    alpha: float = 0.01
    beta: float = 0.05
    stall: float = 0.0

    def start(self) -> Result:
        """Return the result before anything was counted."""
        return initial_result(self.alpha, self.beta)

    def update(
        self,
        before: Result,
        candidate: Counts,
        strictly: Counts | None = None,
        seconds: float = 0.0,
    ) -> Result:
        """Test what was counted in the `seconds` since the start.

        All requests weigh alike: in a stall there are fewer of them, and they must not weigh more.

        Where it cannot be told of every request whether it was bad, `candidate` has those as bad
        that were so for certain, and `strictly` those that may have been.

        Raises:
            ValueError: a count has fallen since `before`.
        """
        _ = candidate - before.candidate
        stalls = seconds / self.stall if self.stall else math.inf
        state = replace(before.state, strict=candidate if strictly is None else strictly)
        evidence = replace(
            before.evidence,
            against=evidence_above(effective_counts(candidate, stalls), self.limit),
            for_=evidence_below(state.strict - state.since[0], self.limit),
        )
        outcome = next_outcome(before.outcome, evidence) if candidate.total else Outcome.NO_DATA
        return Result(candidate, Counts(), evidence, outcome, state)

    def next_step(self, before: Result) -> Result:
        """Start evidence for the candidate anew; that against it is kept over all steps."""
        since = (before.state.strict, Counts())
        return result_at_next_step(before, replace(before.state, since=since))

    def sentence(self, result: Result, bad: str = "failed") -> str:
        """Return the verdict in words; `bad` is the verb for what bad requests did."""
        of = result.candidate
        share, limit = f"{100 * of.rate:.3g} %", f"{100 * self.limit:.3g} %"
        counted = f"{of} candidate requests {bad} ({share}, needs under {limit})"
        match result.outcome:
            case Outcome.FAIL:
                return f"rolled back after {of.total:,} candidate requests: {counted}"
            case Outcome.PASS:
                return f"passed after {of.total:,} candidate requests: {counted}"
            case Outcome.INCONCLUSIVE:
                return f"undecided: {counted}; {result.evidence}"
            case Outcome.NO_DATA:
                return "no data: the candidate answered no requests"


@dataclass(frozen=True, slots=True)
class QuantileComparison:
    """The candidate's latency quantile at `share` (0.95 is p95) against the baseline's.

    What takes longer than about the baseline's quantile is slow, and what takes longer than that
    times 1 + `max_increase` is too slow, as far as buckets tell. Slow requests are compared as
    failed ones are, and so are those that are too slow, each with half of the stakes; only that
    what a revision answers within `stall` (seconds) counts as one request. `alpha` is the chance of
    ever failing a candidate that is no slower. It passes when surely fewer than 1 - `share` of its
    requests are too slow; `beta` is the chance of ever passing one of which more are.

    Both bounds follow what the baseline takes. They are always fixed before anything is tested by
    them, from the baseline alone: `alpha` holds wherever they come to lie.

    An instance that stalls makes all slow that it holds up, so they are not evidence of their own.
    If requests were slow together, they count as one; if each for itself, too little is made of
    them (Jensen). Over longer times requests have to come as by chance: bursts count too much, as
    if they were spread over all of it.
    """

    share: float
    max_increase: float = 0.25
    alpha: float = 0.01
    beta: float = 0.05
    stall: float = STALL

    @property
    def name(self) -> str:
        """Such as p50, p99, p99.9."""
        return f"p{100 * self.share:.4g}"

    def start(self, reference: Histogram = UNKNOWN) -> Result:
        """Return the result before anything was counted.

        `reference`: the baseline's latencies of earlier times, which count until enough of it were
        slow in the canary. Where there are none, its first requests of the canary serve for that,
        and what was counted until then is not tested.
        """
        state = SequentialState(gains=(NO_GAINS, NO_GAINS), enough=CALIBRATION)
        if reference.total:
            enough = max(CALIBRATION, _PRIOR / (1 - self.share))
            state = replace(state, bounds=self._bounds(reference), enough=enough)
        return replace(initial_result(self.alpha, self.beta), state=state)

    def update(
        self,
        before: Result,
        candidate: Histogram,
        baseline: Histogram,
        seconds: float,
        *,
        last: bool = False,
    ) -> Result:
        """Test the latencies that were counted in the `seconds` since the start.

        They are tested once there may have been a stall since the last ones, or when it is the
        `last` observation.

        Raises:
            ValueError: a count has fallen since `before`.
        """
        both = candidate, baseline
        if before.state.bounds is None and baseline.total < before.state.enough:
            return before
        state = self._with_latencies(before.state, both, seconds, last=last)
        bound = _decisive_bound(state)
        one, other = (each.split_at(bound) for each in both)
        return result_of_comparison(before, one, other, log_mixture(state.gains_for), state)

    def next_step(self, before: Result) -> Result:
        """Start evidence for the candidate anew; that against it is kept over all steps."""
        return result_at_next_step(before, replace(before.state, gains_for=NO_GAINS))

    def sentence(self, result: Result, unit: str = "ms") -> str:
        """Return the verdict in words."""
        if result.state.bounds is None:
            return "no data: it is not known yet what the baseline takes"
        return result.sentence(f"took over {_decisive_bound(result.state):.4g} {unit}")

    def _bounds(self, reference: Histogram) -> tuple[float, float]:
        """Return what is slow, and what is too slow."""
        quantile, bad_share = reference.quantile(self.share), 1 - self.share
        nearest = {reference.bound_at_or_below(quantile), reference.bound_at_or_above(quantile)}
        slow = min(nearest, key=lambda bound: abs(reference.split_at(bound).rate - bad_share))
        return slow, reference.bound_at_or_above(quantile * (1 + self.max_increase))

    def _with_latencies(
        self,
        state: SequentialState,
        both: tuple[Histogram, Histogram],
        seconds: float,
        *,
        last: bool,
    ) -> SequentialState:
        """Add what is new; where no bound was known for that, it serves to find one."""
        stalls = state.stalls_since(self.stall, seconds, last=last)
        if state.bounds is not None:
            new = [_since(state.latencies, both, bound) for bound in state.bounds]
            if not (stalls and all(counts.total for each in new for counts in each)):
                return state
            state = self._with_gains(state, state.bounds, new, stalls)
        _, baseline = both
        follows = baseline.total >= state.enough
        bounds = self._bounds(baseline) if follows else state.bounds
        return replace(state, bounds=bounds, latencies=both, seconds=seconds)

    def _with_gains(
        self,
        state: SequentialState,
        bounds: Sequence[float],
        new: Sequence[tuple[Counts, Counts]],
        stalls: float,
    ) -> SequentialState:
        gained = (
            two_sample_gains(
                effective_counts(one, stalls),
                effective_counts(other, stalls),
                self._expected_rate(state, bound),
            )
            for bound, (one, other) in zip(bounds, new, strict=True)
        )
        *_, (too_slow, _) = new
        gained_for = gains_below(too_slow, 1 - self.share)
        gains_for = tuple(map(add, state.gains_for, gained_for))
        return replace(state.with_gains(*gained), gains_for=gains_for)

    def _expected_rate(self, state: SequentialState, bound: float) -> float:
        """Return the part of the baseline's that took longer; of few, near what is expected."""
        counts = state.latencies[1].split_at(bound)
        return (counts.bad + _PRIOR * (1 - self.share)) / (counts.total + _PRIOR)


def _decisive_bound(state: SequentialState) -> float:
    """Return the one of the two bounds by which more evidence is against the candidate."""
    assert state.bounds is not None  # noqa: S101 - asked only where they are known
    slow, too_slow = state.bounds
    too_slow_decides = log_mixture(state.gains[1]) > log_mixture(state.gains[0])
    return too_slow if too_slow_decides else slow


def _since(
    before: tuple[Histogram, Histogram], both: tuple[Histogram, Histogram], bound: float
) -> tuple[Counts, Counts]:
    """Count new requests of either revision, those over the bound as bad."""
    one, other = (
        now.split_at(bound) - had.split_at(bound) for had, now in zip(before, both, strict=True)
    )
    return one, other
