"""What a canary can see, before it starts."""

import math
from datetime import timedelta

from greenrun.model.stats.comparison import BLOCK
from greenrun.model.stats.odds import LOG_STAKES, STEPS, foretold_better, log_of_sum


def power(
    rate_per_second: float, share: float, baseline_rate: float, regression: float, alpha: float
) -> timedelta:
    """How long it takes, on average, to fail a candidate with the error rate `regression`.

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
    """How many requests it takes: where the stakes come to 1 / alpha if all goes as expected.

    Half a block is added, and what the last bad request brings more than was needed. Infinite where
    the candidate is not worse.
    """
    gains = [_gain(share, regression, baseline_rate, step) for step in STEPS]
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


def detectable(
    rate_per_second: float, share: float, baseline_rate: float, within: timedelta, alpha: float
) -> float | None:
    """The least error rate of a candidate that fails within that time on average, if any does."""

    def seen(regression: float) -> bool:
        return power(rate_per_second, share, baseline_rate, regression, alpha) <= within

    low, high = baseline_rate, 1.0
    if not seen(high):
        return None
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


def promise(
    rate_per_second: float, share: float, baseline_rate: float, regression: float, alpha: float
) -> str:
    """As a plan says it: `0.4 % to 2 % in about 9 minutes`."""
    rise = f"{100 * baseline_rate:.2g} % to {100 * regression:.2g} %"
    takes = power(rate_per_second, share, baseline_rate, regression, alpha)
    if takes == timedelta.max:
        return f"{rise} never"
    seconds = takes.total_seconds()
    if seconds < 90:
        return f"{rise} in about {seconds:.0f} seconds"
    return f"{rise} in about {seconds / 60:,.0f} minutes"


def _gain(share: float, one: float, other: float, step: float) -> float:
    """What a bet gains on average by a request of the candidate's share: as for large tables.

    The bet foretells rates with its odds ratio which come to the same rate of both together.
    """
    both = share * one + (1 - share) * other
    if not 0 < both < 1:
        return 0.0
    odds = math.exp(step)
    linear = odds * (both + share) + 1 - share - both
    root = math.sqrt(linear * linear - 4 * share * (odds - 1) * odds * both)
    foretold = 2 * odds * both / (linear + root)
    beside = (both - share * foretold) / (1 - share)
    gained = share * foretold_better(one, foretold, both)
    gained += (1 - share) * foretold_better(other, beside, both)
    return gained * (1 - 1 / BLOCK)


def _beyond(share: float, baseline_rate: float, regression: float) -> float:
    """By how much the end is overshot: about half of what a bad request of the candidate brings."""
    both = share * regression + (1 - share) * baseline_rate
    return math.log(regression / both) / 2
