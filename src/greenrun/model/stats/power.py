"""Power: what a sequential test finds and passes, and after how many requests, before it starts."""

import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache

from greenrun.model.stats.bets import (
    LOG_EVEN,
    LOG_STAKES,
    STEPS,
    log_likelihood_ratio,
    log_mixture,
    log_of_sum,
)
from greenrun.model.stats.comparisons import BLOCK, CALIBRATION, ErrorRateComparison, minimum
from greenrun.model.stats.samples import Histogram
from greenrun.model.stats.sequential_test import (
    ErrorLimit,
    Errors,
    Latencies,
    LatencyLimit,
    Part,
)

NINE_IN_TEN = 2.0
"""Times what half of all healthy candidates need, 9 of 10 need at most; a bench measures it."""

_MOST = 1e12


def requests_to_pass(part: Part, share: float, rate: float, latencies: Histogram) -> float:
    """Return how many requests of both revisions half of all equal candidates need for a pass.

    Where the evidence comes to what is needed if all goes as expected. Infinite where it never
    does: as for a limit that the baseline does not keep itself.

    Args:
        part: the one that is to pass.
        share: of the requests, the candidate's (0 to 1).
        rate: the error rate of both revisions (0 to 1).
        latencies: of the baseline; where they are empty, nothing counts as too slow, and the
            answer is the least that it can be.
    """
    match part:
        case Errors(test):
            return _compared(test, share, rate)
        case ErrorLimit(test):
            return _kept(rate, test.limit, test.beta) / share
        case Latencies(test):
            bounds = test.start(latencies).state.bounds
            slow = latencies.split_at(bounds[1]).rate if bounds else 0.0
            calibrated = 0.0 if bounds else CALIBRATION / (1 - share)
            return calibrated + _kept(slow, 1 - test.share, test.beta) / share
        case LatencyLimit(test, milliseconds):
            slow = _perhaps_over(latencies, milliseconds)
            return _kept(slow, test.limit, test.beta) / share


@lru_cache(maxsize=256)
def _compared(test: ErrorRateComparison, share: float, rate: float) -> float:
    """As `comparisons.evidence_within` has it, from counts as they are expected."""

    def evidence(requests: float) -> float:
        mine, theirs = requests * share, requests * (1 - share)

        def beside(guess: float) -> float:
            better = _grown(mine, _expected_gains(rate, guess + test.max_error_increase, -1))
            worse = _grown(theirs, _expected_gains(rate, guess, 1), LOG_EVEN)
            return better + log_of_sum((worse, 0.0)) - math.log(2)

        return minimum(beside, 1.0 - test.max_error_increase, 1e-6 * test.max_error_increase)

    return _reached(evidence, -math.log(test.beta))


def _kept(rate: float, limit: float, beta: float) -> float:
    """Return the candidate requests until a rate is shown to be below a limit."""
    gains = _expected_gains(rate, limit, -1)
    return _reached(lambda requests: _grown(requests, gains), -math.log(beta))


def _perhaps_over(latencies: Histogram, milliseconds: float) -> float:
    if not latencies.total:
        return 0.0
    return latencies.split_at(latencies.bound_at_or_below(milliseconds)).rate


def _expected_gains(rate: float, against: float, direction: int) -> list[float]:
    """Return what each bet gains on average by a request."""
    steps = (direction * step for step in STEPS)
    return [rate * step - math.log1p(against * math.expm1(step)) for step in steps]


def _grown(
    requests: float, gains: Sequence[float], log_stakes: Sequence[float] = LOG_STAKES
) -> float:
    return log_mixture([requests * gain for gain in gains], log_stakes)


def _reached(evidence: Callable[[float], float], needed: float) -> float:
    """Return where growing evidence comes to what is needed, to a thousandth."""
    low, high = 0.0, 1.0
    while evidence(high) < needed:
        low, high = high, 2 * high
        if high > _MOST:
            return math.inf
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if evidence(middle) >= needed else (middle, high)
    return high


def time_to_detect(
    rate_per_second: float, share: float, baseline_rate: float, regression: float, alpha: float
) -> timedelta:
    """Return how long it takes, on average, to fail a candidate with the error rate `regression`.

    Args:
        rate_per_second: requests to both revisions.
        share: of the requests, the candidate's (0 to 1).
        baseline_rate: the baseline's error rate (0 to 1).
        regression: the candidate's error rate (0 to 1).
        alpha: the chance of ever failing an equal candidate, of this comparison alone.
    """
    requests = requests_to_detect(share, baseline_rate, regression, alpha)
    if not rate_per_second or requests * 1e-9 > rate_per_second:
        return timedelta.max
    return timedelta(seconds=requests / rate_per_second)


def requests_to_detect(
    share: float, baseline_rate: float, regression: float, alpha: float
) -> float:
    """Return how many requests it takes until the expected stakes come to 1 / alpha.

    Half a block is added, and what the last bad request brings more than was needed. Infinite where
    the candidate is not worse.
    """
    gains = [_expected_gain(share, regression, baseline_rate, step) for step in STEPS]
    best = max(gains)
    if best <= 0:
        return math.inf
    needed = -math.log(alpha)

    def missing(requests: float) -> float:
        stakes = zip(LOG_STAKES, gains, strict=True)
        return needed - log_of_sum(stake + requests * gain for stake, gain in stakes)

    low, high = 0.0, (needed - min(LOG_STAKES)) / best
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if missing(middle) > 0 else (low, middle)
    return high + BLOCK / 2 + _beyond(share, baseline_rate, regression) / best


def smallest_detectable(
    rate_per_second: float, share: float, baseline_rate: float, within: timedelta, alpha: float
) -> float | None:
    """Return the least error rate of a candidate that fails in that time on average, if any."""

    def is_detected(regression: float) -> bool:
        return time_to_detect(rate_per_second, share, baseline_rate, regression, alpha) <= within

    low, high = baseline_rate, 1.0
    if not is_detected(high):
        return None
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if is_detected(middle) else (middle, high)
    return high


def _expected_gain(share: float, one: float, other: float, step: float) -> float:
    """Return the average gain of a bet by a request at this share: as for large tables.

    The bet predicts rates with its odds ratio which come to the same rate of both together.
    """
    both = share * one + (1 - share) * other
    if not 0 < both < 1:
        return 0.0
    odds = math.exp(step)
    linear = odds * (both + share) + 1 - share - both
    root = math.sqrt(linear * linear - 4 * share * (odds - 1) * odds * both)
    predicted = 2 * odds * both / (linear + root)
    beside = (both - share * predicted) / (1 - share)
    gained = share * log_likelihood_ratio(one, predicted, both)
    gained += (1 - share) * log_likelihood_ratio(other, beside, both)
    return gained * (1 - 1 / BLOCK)


def _beyond(share: float, baseline_rate: float, regression: float) -> float:
    """Return the overshoot: about half of what a bad request of the candidate brings."""
    both = share * regression + (1 - share) * baseline_rate
    return math.log(regression / both) / 2
