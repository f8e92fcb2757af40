"""Likelihood ratios of odds: the bets of which all evidence here is made.

Each bet is an odds ratio, a power of e in STEPS. At every look it multiplies its stake by how much
better it foretold what came than the hypothesis that is tested. Under that hypothesis no bet gains
on average, so the chance that all stakes together ever grow to 1 / alpha is at most alpha (Ville).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from greenrun.model.stats.counts import Counts

_SIZE = 20
_SMALLEST, _LARGEST = 0.05, 4.6
_NO_WEIGHT = 1e-17

STEPS = tuple(_SMALLEST * (_LARGEST / _SMALLEST) ** (place / (_SIZE - 1)) for place in range(_SIZE))
"""Logarithms of the odds ratios that are bet on: from 1.05 to 100."""


def _log_stakes() -> tuple[float, ...]:
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


def together(logs: Sequence[float], log_stakes: Sequence[float] = LOG_STAKES) -> float:
    """The logarithm of all stakes after each has grown by its own factor."""
    return log_of_sum(stake + log for stake, log in zip(log_stakes, logs, strict=True))


def log_of_sum(logs: Iterable[float]) -> float:
    """The logarithm of the sum of what `logs` are the logarithms of."""
    terms = tuple(logs)
    largest = max(terms)
    return largest + math.log(sum(math.exp(term - largest) for term in terms))


class Weighable(Protocol):
    """Requests, whole ones or what they weigh."""

    @property
    def total(self) -> float:
        """All of them."""

    @property
    def bad(self) -> float:
        """The bad ones among them."""


def worse_than(counts: Weighable, rate: float) -> float:
    """Log evidence that the chance of a bad request is above `rate`, on average over these."""
    return together(_gains(counts, rate, 1))


def better_than(counts: Weighable, rate: float) -> float:
    """Log evidence that the chance of a bad request is below `rate`, on average over these."""
    return together(gained_on_better(counts, rate))


def gained_on_better(counts: Weighable, rate: float) -> tuple[float, ...]:
    """Log gain of each bet that it is below."""
    return tuple(_gains(counts, rate, -1))


def hedged_worse_than(counts: Weighable, rate: float) -> float:
    """As `worse_than`, with half of the stakes kept back, so that never more than that is lost."""
    bet = together(_gains(counts, rate, 1), LOG_EVEN)
    return log_of_sum((bet, 0.0)) - math.log(2)


def _gains(counts: Weighable, rate: float, direction: int) -> list[float]:
    """A bet gains b step - n ln(1 + rate (e^step - 1)).

    That is convex in `rate`, so it holds for chances that change, too, with their average for them.
    """
    steps = (direction * step for step in STEPS)
    return [
        counts.bad * step - counts.total * math.log1p(rate * math.expm1(step)) for step in steps
    ]


def foretold_better(rate: float, by: float, instead: float) -> float:
    """By how much a bet on `by` gains on one on `instead`, by a request, where `rate` are bad."""
    gained = rate * math.log(by / instead) if rate else 0.0
    return gained + ((1 - rate) * math.log((1 - by) / (1 - instead)) if rate < 1 else 0.0)


def fell_to(candidate: Counts, baseline: Counts) -> tuple[float, ...]:
    """Log gain of each bet that the candidate's odds of a bad request are higher.

    Rests on which requests were bad alone, not on how many: given that, and how many requests each
    revision had, every way in which they can have fallen is equally likely if the two are equal
    (Fisher's exact test; his non-central hypergeometric distribution if they are not).
    """
    fallen = _Fallen(candidate.total, baseline.total, candidate.bad + baseline.bad)
    if not (fallen.bad and fallen.one and fallen.other):
        return (0.0,) * len(STEPS)
    return tuple(candidate.bad * step - fallen.log_mean(step) for step in STEPS)


@dataclass(frozen=True, slots=True)
class _Fallen:
    """`bad` of `one` + `other` requests were bad; k of them, it is asked, among the `one`."""

    one: int
    other: int
    bad: int

    def log_mean(self, step: float) -> float:
        """The logarithm of the mean of e^(step k) over all ways in which they can have fallen."""
        odds = math.exp(step)
        mode = self._mode(odds)
        around = 1.0 + self._above(mode, odds) + self._below(mode, odds)
        ways = _log_ways(self.one, mode) + _log_ways(self.other, self.bad - mode)
        return ways + step * mode + math.log(around) - _log_ways(self.one + self.other, self.bad)

    def _above(self, mode: int, odds: float) -> float:
        """The sum of the terms after the mode's, which counts as 1, down to those of no weight."""
        total, term, place = 0.0, 1.0, mode
        while term > total * _NO_WEIGHT:
            term *= odds * self._ratio(place)
            total += term
            place += 1
        return total

    def _below(self, mode: int, odds: float) -> float:
        lowest = max(0, self.bad - self.other)
        total, term, place = 0.0, 1.0, mode
        while place > lowest and term > total * _NO_WEIGHT:
            place -= 1
            term /= odds * self._ratio(place)
            total += term
        return total

    def _ratio(self, place: int) -> float:
        """The ways in which k is `place` + 1 over those in which it is `place`."""
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
