"""Requests that may have been slow together, weighed as one.

An instance that stalls makes all slow that it holds up; so they are not evidence of their own. What
a revision answers within the time that a stall may take weighs about as one request, which was as
bad as these were on average. If they were slow together, it is one; if each for itself, too little
is made of them (Jensen). Over longer times requests have to come as by chance: bursts weigh too
much, as if they were spread over all of it.

Source of the bets: R. Turner, A. Ly, P. Grünwald, Generic E-variables for exact sequential k-sample
tests that allow for optional stopping, 2021. They hold for any weights, fractions of one included.
"""

import math
from dataclasses import dataclass

from greenrun.model.stats.counts import Counts
from greenrun.model.stats.odds import STEPS, foretold_better


@dataclass(frozen=True, slots=True)
class Weight:
    """What requests weigh, and the bad ones among them, in requests that are independent."""

    total: float = 0.0
    bad: float = 0.0


def weight(counts: Counts, stalls: float) -> Weight:
    """Of requests that came in a time that so many stalls fill.

    Where all that fall into the same stall fare alike, they are worth this number of independent
    ones: n / (1 + (n - 1) / s). Source: L. Kish, Survey Sampling, 1965, the design effect.
    """
    if not (counts.total and stalls):
        return Weight()
    total = counts.total / (1 + (counts.total - 1) / stalls)
    return Weight(total, total * counts.rate)


def fell_more_to(candidate: Weight, baseline: Weight, usual: float) -> tuple[float, ...]:
    """Log gain of each bet that the candidate's odds of a bad request are higher.

    `usual` is the share of bad ones that the bets expect of the baseline. They gain nothing on
    average where both have the same share, whichever it is.
    """
    both = candidate.total + baseline.total
    if not (candidate.total and baseline.total):
        return (0.0,) * len(STEPS)

    def gain(step: float) -> float:
        worse = _raised(usual, step)
        equal = (candidate.total * worse + baseline.total * usual) / both
        return _gained(candidate, worse, equal) + _gained(baseline, usual, equal)

    return tuple(map(gain, STEPS))


def _gained(weight: Weight, by: float, instead: float) -> float:
    return weight.total * foretold_better(weight.bad / weight.total, by, instead)


def _raised(rate: float, step: float) -> float:
    """The rate whose odds are e^step times as high."""
    return rate * math.exp(step) / (1 + rate * math.expm1(step))
