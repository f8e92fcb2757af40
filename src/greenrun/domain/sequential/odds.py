"""Likelihood ratios of odds: the bets of which all evidence here is made.

Each bet is an odds ratio, a power of e in STEPS; it multiplies its stake at every request by how much
better it foretold it than the hypothesis that is tested. Under that hypothesis no bet gains on average,
so the chance that the stakes together ever grow by 1 / alpha is at most alpha (Ville's inequality).
"""

import math
from collections.abc import Iterable, Sequence

from greenrun.domain.sequential.counts import Counts

_SIZE = 20
_SMALLEST, _LARGEST = 0.05, 4.6

STEPS = tuple(
    _SMALLEST * (_LARGEST / _SMALLEST) ** (place / (_SIZE - 1)) for place in range(_SIZE)
)
"""Logarithms of the odds ratios that are bet on: from 1.05 to 100."""


def _log_stakes() -> tuple[float, ...]:
    """Most on ratios of 2 to 8, which are the regressions that releases have; some on every one."""
    shape, scale, least = 3.0, 0.45, 0.05
    peak = shape * scale
    likely = [(step / peak) ** shape * math.exp((peak - step) / scale) for step in STEPS]
    stakes = [step * (one + least) for step, one in zip(STEPS, likely, strict=True)]
    return tuple(math.log(stake / sum(stakes)) for stake in stakes)


LOG_STAKES = _log_stakes()
"""How the stake of 1 is spread over STEPS."""


def together(logs: Sequence[float]) -> float:
    """The logarithm of all stakes after each has grown by its own factor."""
    return log_of_sum(stake + log for stake, log in zip(LOG_STAKES, logs, strict=True))


def log_of_sum(logs: Iterable[float]) -> float:
    """The logarithm of the sum of what `logs` are the logarithms of."""
    terms = tuple(logs)
    largest = max(terms)
    return largest + math.log(sum(math.exp(term - largest) for term in terms))


def worse_than(counts: Counts, rate: float) -> float:
    """Log evidence that the chance of a bad request is above `rate`, on average over these."""
    return _apart(counts, rate, 1)


def better_than(counts: Counts, rate: float) -> float:
    """Log evidence that the chance of a bad request is below `rate`, on average over these."""
    return _apart(counts, rate, -1)


def _apart(counts: Counts, rate: float, direction: int) -> float:
    """A bet's gain is b step - n ln(1 + rate (e^step - 1)).

    Convex in `rate`, so that it also holds for chances that change: their average stands for them.
    """
    return together(
        [
            counts.bad * step - counts.total * math.log1p(rate * math.expm1(step))
            for step in (direction * step for step in STEPS)
        ]
    )


def fell_to(candidate: Counts, baseline: Counts) -> tuple[float, ...]:
    """Log gain of each bet that the candidate's odds of a bad request are higher.

    Rests on which requests were bad alone, not on how many: given that, and how many requests each
    revision had, every way in which they can have fallen is equally likely if the two are equal
    (Fisher's exact test; by its non-central hypergeometric distribution if they are not).
    """
    bad = candidate.bad + baseline.bad
    if not (bad and candidate.total and baseline.total):
        return (0.0,) * len(STEPS)
    return tuple(
        candidate.bad * step - _log_mean(candidate.total, baseline.total, bad, step)
        for step in STEPS
    )


def _log_mean(one: int, other: int, bad: int, step: float) -> float:
    """ln E[e^(step k)], where k of `bad` draws from one + other without replacement are of `one`."""
    likeliest = _likeliest(one, other, bad, math.exp(step))
    around = 1.0 + _side(one, other, bad, step, likeliest, 1) + _side(
        one, other, bad, step, likeliest, -1
    )
    ways = _log_ways(one, likeliest) + _log_ways(other, bad - likeliest)
    return ways + step * likeliest + math.log(around) - _log_ways(one + other, bad)


def _side(one: int, other: int, bad: int, step: float, start: int, direction: int) -> float:
    """The sum of all terms above or below the one at `start`, which counts as 1."""
    odds, spare = math.exp(step), other - bad
    total, term, place = 0.0, 1.0, start
    while term > total * 1e-17:
        if direction > 0:
            term *= odds * (one - place) * (bad - place) / ((place + 1) * (spare + place + 1))
        else:
            term *= place * (spare + place) / (odds * (one - place + 1) * (bad - place + 1))
        total += term
        place += direction
    return total


def _likeliest(one: int, other: int, bad: int, odds: float) -> int:
    """The mode of Fisher's non-central hypergeometric distribution (A. Fog, 2008, formula 5)."""
    low, high = max(0, bad - other), min(one, bad)
    square = odds - 1
    linear = bad - other - (one + bad + 2) * odds
    constant = (one + 1) * (bad + 1) * odds
    root = math.sqrt(linear * linear - 4 * square * constant)
    return min(max(int(-2 * constant / (linear - root)), low), high)


def _log_ways(of: int, chosen: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)
