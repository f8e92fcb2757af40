"""Likelihood ratios of odds: the bets of which all evidence of the sequential tests is made.

Each bet is an odds ratio, a power of e in STEPS. At every observation it multiplies its stake by
how much better it predicted what came than the hypothesis that is tested. Under that hypothesis no
bet gains on average, so the chance that all stakes together ever grow to 1 / alpha is at most alpha
(Ville).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from greenrun.model.stats.samples import Counts, EffectiveCounts

_SIZE = 20
_SMALLEST, _LARGEST = 0.05, 4.6
_NEGLIGIBLE = 1e-17

STEPS = tuple(_SMALLEST * (_LARGEST / _SMALLEST) ** (place / (_SIZE - 1)) for place in range(_SIZE))
"""Logarithms of the odds ratios that are bet on: from 1.05 to 100."""

Gains = tuple[float, ...]
"""Log gain of each bet, in the order of STEPS."""

NO_GAINS: Gains = (0.0,) * _SIZE


def _log_stakes() -> Gains:
    """Most on ratios of 2 to 8, which are the regressions that releases have; some on every one."""
    shape, scale, least = 4.0, 0.36, 0.03
    peak = shape * scale
    likely = [(step / peak) ** shape * math.exp((peak - step) / scale) for step in STEPS]
    stakes = [step * (one + least) for step, one in zip(STEPS, likely, strict=True)]
    return tuple(math.log(stake / sum(stakes)) for stake in stakes)


LOG_STAKES = _log_stakes()
"""How the stake of 1 is spread over STEPS."""

LOG_EVEN = (-math.log(_SIZE),) * _SIZE
"""The same stake on each."""


def log_mixture(gains: Sequence[float], log_stakes: Sequence[float] = LOG_STAKES) -> float:
    """Return the logarithm of all stakes after each has grown by its own gain."""
    return log_of_sum(stake + gain for stake, gain in zip(log_stakes, gains, strict=True))


def log_of_sum(logs: Iterable[float]) -> float:
    """Return the logarithm of the sum of what `logs` are the logarithms of."""
    terms = tuple(logs)
    largest = max(terms)
    return largest + math.log(sum(math.exp(term - largest) for term in terms))


class BinomialCounts(Protocol):
    """Requests and the bad ones among them, whole numbers or effective ones."""

    @property
    def total(self) -> float:
        """All requests."""

    @property
    def bad(self) -> float:
        """The bad ones among them."""


def evidence_above(counts: BinomialCounts, rate: float) -> float:
    """Log evidence that the chance of a bad request is above `rate`, on average over these."""
    return log_mixture(_binomial_gains(counts, rate, 1))


def evidence_below(counts: BinomialCounts, rate: float) -> float:
    """Log evidence that the chance of a bad request is below `rate`, on average over these."""
    return log_mixture(gains_below(counts, rate))


def gains_below(counts: BinomialCounts, rate: float) -> Gains:
    """Log gain of each bet that the chance of a bad request is below `rate`."""
    return _binomial_gains(counts, rate, -1)


def hedged_evidence_above(counts: BinomialCounts, rate: float) -> float:
    """As `evidence_above`, with half of the stakes kept back: never more than that is lost."""
    bet = log_mixture(_binomial_gains(counts, rate, 1), LOG_EVEN)
    return log_of_sum((bet, 0.0)) - math.log(2)


def _binomial_gains(counts: BinomialCounts, rate: float, direction: int) -> Gains:
    """A bet gains b step - n ln(1 + rate (e^step - 1)).

    That is convex in `rate`, so it holds for chances that change, too, with their average for them.
    """
    steps = (direction * step for step in STEPS)
    return tuple(
        counts.bad * step - counts.total * math.log1p(rate * math.expm1(step)) for step in steps
    )


def log_likelihood_ratio(rate: float, of: float, to: float) -> float:
    """Average gain, by a request, of a bet on the rate `of` to one on `to`, where `rate` are bad.

    All three are 0 to 1; `of` and `to` are neither 0 nor 1.
    """
    gained = rate * math.log(of / to) if rate else 0.0
    return gained + ((1 - rate) * math.log((1 - of) / (1 - to)) if rate < 1 else 0.0)


def two_sample_gains(
    candidate: EffectiveCounts, baseline: EffectiveCounts, baseline_rate: float
) -> Gains:
    """Log gain of each bet that the candidate's odds of a bad request are higher.

    `baseline_rate` is the share of bad ones that the bets expect of the baseline. They gain nothing
    on average where both have the same share, whichever it is.

    Source: R. Turner, A. Ly, P. Grünwald, Generic E-variables for exact sequential k-sample tests
    that allow for optional stopping, 2021. They hold for any counts, fractions of one included.
    """
    both = candidate.total + baseline.total
    if not (candidate.total and baseline.total):
        return NO_GAINS

    def gain(step: float) -> float:
        raised = _raised(baseline_rate, step)
        equal = (candidate.total * raised + baseline.total * baseline_rate) / both
        return _gain(candidate, raised, equal) + _gain(baseline, baseline_rate, equal)

    return tuple(map(gain, STEPS))


def _gain(counts: EffectiveCounts, of: float, to: float) -> float:
    return counts.total * log_likelihood_ratio(counts.bad / counts.total, of, to)


def _raised(rate: float, step: float) -> float:
    """Return the rate whose odds are e^step times as high."""
    return rate * math.exp(step) / (1 + rate * math.expm1(step))


def fisher_gains(candidate: Counts, baseline: Counts) -> Gains:
    """Log gain of each bet that the candidate's odds of a bad request are higher.

    Rests on which requests were bad alone, not on how many: given that, and how many requests each
    revision had, every way in which they can have fallen is equally likely if the two are equal
    (Fisher's exact test; his non-central hypergeometric distribution if they are not).
    """
    table = _Hypergeometric(candidate.total, baseline.total, candidate.bad + baseline.bad)
    if not (table.bad and table.one and table.other):
        return NO_GAINS
    return tuple(candidate.bad * step - table.log_mean(step) for step in STEPS)


@dataclass(frozen=True, slots=True)
class _Hypergeometric:
    """`bad` of `one` + `other` requests were bad; k of them, it is asked, among the `one`."""

    one: int
    other: int
    bad: int

    def log_mean(self, step: float) -> float:
        """Return the logarithm of the mean of e^(step k) over all ways in which they can fall."""
        odds = math.exp(step)
        mode = self._mode(odds)
        around = 1.0 + self._above(mode, odds) + self._below(mode, odds)
        ways = _log_ways(self.one, mode) + _log_ways(self.other, self.bad - mode)
        return ways + step * mode + math.log(around) - _log_ways(self.one + self.other, self.bad)

    def _above(self, mode: int, odds: float) -> float:
        """Sum the terms after the mode's, which counts as 1, down to negligible ones."""
        total, term, place = 0.0, 1.0, mode
        while term > total * _NEGLIGIBLE:
            term *= odds * self._ratio(place)
            total += term
            place += 1
        return total

    def _below(self, mode: int, odds: float) -> float:
        lowest = max(0, self.bad - self.other)
        total, term, place = 0.0, 1.0, mode
        while place > lowest and term > total * _NEGLIGIBLE:
            place -= 1
            term /= odds * self._ratio(place)
            total += term
        return total

    def _ratio(self, place: int) -> float:
        """Divide the ways in which k is `place` + 1 by those in which it is `place`."""
        left = self.other - self.bad + place + 1
        return (self.one - place) * (self.bad - place) / ((place + 1) * left)

    def _mode(self, odds: float) -> int:
        """Source: A. Fog, Calculation Methods for Wallenius' and Fisher's Distributions, 2008."""
        square = odds - 1
        linear = self.bad - self.other - (self.one + self.bad + 2) * odds
        constant = (self.one + 1) * (self.bad + 1) * odds
        root = math.sqrt(linear * linear - 4 * square * constant)
        likeliest = int(-2 * constant / (linear - root))
        return min(max(likeliest, 0, self.bad - self.other), self.one, self.bad)


def _log_ways(of: int, chosen: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)
