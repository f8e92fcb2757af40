"""What may have been slow together weighs as one."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.model.stats import Counts, Histogram, Outcome, QuantileComparison, RateLimit
from greenrun.model.stats.bets import STEPS, two_sample_gains
from greenrun.model.stats.samples import EffectiveCounts, effective_counts

BOUNDS = (100.0, 200.0, 300.0)
KNOWN = Histogram(BOUNDS, (9_500, 0, 500))
CHANCES = st.floats(0.001, 0.999)
WEIGHTS = st.floats(0.01, 1)
RUNS, SECONDS, A_SECOND, HELD_UP = 60, 60, 40, 12


def histogram(counts: Counts) -> Histogram:
    return Histogram(BOUNDS, (counts.good, 0, counts.bad))


def stalling(seed: int) -> list[tuple[Counts, Counts]]:
    """What both have answered, second by second; either stalls in one of ten, by chance."""
    random, found = np.random.default_rng([41, seed]), [Counts(), Counts()]
    counted = []
    for _ in range(SECONDS):
        for which in (0, 1):
            number = int(random.poisson(A_SECOND))
            slow = min(number, int(random.poisson(HELD_UP))) if random.random() < 0.1 else 0
            found[which] += Counts(number - slow, slow)
        counted.append((found[0], found[1]))
    return counted


def rolled_back(stall: float) -> float:
    """The share of the equal candidates."""
    quantile, failed = QuantileComparison(0.95, stall=stall), 0
    for seed in range(RUNS):
        result = quantile.start(KNOWN)
        for second, (one, other) in enumerate(stalling(seed), start=1):
            result = quantile.update(result, histogram(one), histogram(other), second)
        failed += result.outcome is Outcome.FAIL
    return failed / RUNS


def test_stalls_that_both_have_are_nobodys_fault() -> None:
    assert rolled_back(stall=0.25) <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / RUNS)


def test_they_would_be_if_every_request_were_evidence_of_its_own() -> None:
    assert rolled_back(stall=0.0) > 0.2


@given(CHANCES, WEIGHTS, WEIGHTS, CHANCES)
@settings(deadline=None)
def test_no_bet_gains_on_average_where_both_are_equal(
    chance: float, one: float, other: float, usual: float
) -> None:
    """Whatever each revision answers within one stall is slow by that chance, all of it."""
    means = np.zeros(len(STEPS))
    for first in (0, 1):
        for second in (0, 1):
            likely = math.prod(chance if slow else 1 - chance for slow in (first, second))
            slow = EffectiveCounts(one, one * first), EffectiveCounts(other, other * second)
            means += likely * np.exp(two_sample_gains(*slow, usual))

    assert means.max() <= 1 + 1e-9


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.01, 1000))
def test_nothing_weighs_more_than_it_is(good: int, bad: int, stalls: float) -> None:
    counts = Counts(good, bad)
    found = effective_counts(counts, stalls)

    assert found.total <= min(counts.total, max(stalls, 1.0))
    assert effective_counts(counts, 1.0).total == min(counts.total, 1)
    assert effective_counts(counts, math.inf).total == counts.total
    assert found.bad == pytest.approx(found.total * counts.rate)


def test_a_limit_is_not_broken_by_one_stall() -> None:
    objective = RateLimit(0.05, stall=0.25)
    quiet = objective.update(objective.start(), Counts(400), seconds=10)
    stalled = objective.update(quiet, Counts(500, 100), seconds=11)
    slow = objective.update(stalled, Counts(500, 4_000), seconds=50)

    assert [result.outcome for result in (quiet, stalled, slow)] == [
        Outcome.PASS,
        Outcome.PASS,
        Outcome.FAIL,
    ]


def test_the_few_requests_of_a_stall_weigh_no_more_than_others() -> None:
    """In every other second there are 50 quick ones, in the others two, which wait for it."""
    objective = RateLimit(0.05, stall=0.25)
    result, counts = objective.start(), Counts()
    for second in range(1, 121):
        counts += Counts(0, 2) if second % 2 else Counts(50)
        result = objective.update(result, counts, seconds=second)
        assert result.outcome is not Outcome.FAIL


def test_what_came_too_soon_is_tested_later() -> None:
    quantile = QuantileComparison(0.95)
    soon = quantile.update(
        quantile.start(KNOWN), histogram(Counts(0, 5)), histogram(Counts(5)), 0.2
    )
    late = quantile.update(soon, histogram(Counts(0, 9)), histogram(Counts(9)), 1.0)
    last = quantile.update(
        quantile.start(KNOWN), histogram(Counts(0, 5)), histogram(Counts(5)), 0.2, last=True
    )

    assert soon.evidence.against == pytest.approx(0)
    assert late.evidence.against > last.evidence.against > 0
