"""How many requests a healthy candidate needs to pass, before it starts."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

from greenrun.model.histogram import Histogram
from greenrun.model.stats.buckets import bound_up_to, over
from greenrun.model.stats.comparison import Sequential, least
from greenrun.model.stats.latency import ENOUGH
from greenrun.model.stats.odds import LOG_EVEN, LOG_STAKES, STEPS, log_of_sum, together
from greenrun.model.stats.parts import ErrorLimit, Errors, Latencies, LatencyLimit, Part

SURELY = 2.0
"""Times what half of all healthy candidates need, 9 of 10 do with; a bench measures it."""

_MOST = 1e12


def requests_to_pass(part: Part, share: float, rate: float, latencies: Histogram) -> float:
    """How many requests, of both revisions, half of all equal candidates need to pass a part.

    Where the evidence comes to what is needed if all goes as expected. Infinite where it never
    does: as for a limit that the baseline does not keep itself.

    Args:
        part: what is asked.
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
            start = test.begin(latencies).weighed.bounds
            slow = over(latencies, start[1]).rate if start else 0.0
            calibrated = 0.0 if start else ENOUGH / (1 - share)
            return calibrated + _kept(slow, 1 - test.share, test.beta) / share
        case LatencyLimit(test, milliseconds):
            slow = _perhaps_over(latencies, milliseconds)
            return _kept(slow, test.limit, test.beta) / share


@lru_cache(maxsize=256)
def _compared(test: Sequential, share: float, rate: float) -> float:
    """As `comparison.under` finds evidence, from counts as they are expected."""

    def evidence(requests: float) -> float:
        mine, theirs = requests * share, requests * (1 - share)

        def beside(guess: float) -> float:
            better = _grown(mine, _gains(rate, guess + test.max_error_increase, -1))
            worse = _grown(theirs, _gains(rate, guess, 1), LOG_EVEN)
            return better + log_of_sum((worse, 0.0)) - math.log(2)

        return least(beside, 1.0 - test.max_error_increase, 1e-6 * test.max_error_increase)

    return _reached(evidence, -math.log(test.beta))


def _kept(rate: float, limit: float, beta: float) -> float:
    """Candidate requests until it is shown that a rate is below a limit."""
    gains = _gains(rate, limit, -1)
    return _reached(lambda requests: _grown(requests, gains), -math.log(beta))


def _perhaps_over(latencies: Histogram, milliseconds: float) -> float:
    if not latencies.total:
        return 0.0
    return over(latencies, bound_up_to(latencies, milliseconds)).rate


def _gains(rate: float, against: float, direction: int) -> list[float]:
    """What each bet gains on average by a request."""
    steps = (direction * step for step in STEPS)
    return [rate * step - math.log1p(against * math.expm1(step)) for step in steps]


def _grown(
    requests: float, gains: Sequence[float], log_stakes: Sequence[float] = LOG_STAKES
) -> float:
    return together([requests * gain for gain in gains], log_stakes)


def _reached(evidence: Callable[[float], float], needed: float) -> float:
    """Where growing evidence comes to what is needed, to a thousandth."""
    low, high = 0.0, 1.0
    while evidence(high) < needed:
        low, high = high, 2 * high
        if high > _MOST:
            return math.inf
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if evidence(middle) >= needed else (middle, high)
    return high
