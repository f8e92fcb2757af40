"""How many requests a healthy candidate needs for a pass is known before it starts."""

import math

import numpy as np
import pytest

from greenrun.model.stats import (
    Counts,
    ErrorRateComparison,
    Histogram,
    Outcome,
    QuantileComparison,
    SequentialTest,
)
from greenrun.model.stats.bets import evidence_below
from greenrun.model.stats.comparisons import evidence_within
from greenrun.model.stats.power import NINE_IN_TEN, requests_to_pass

UNKNOWN = Histogram(())
RUNS, LOOKS, LONGEST = 40, 20, 4
"""Looks within what was foretold, and how many times that is waited at most."""

EVEN = Histogram.exponential(66, 1.4, 1.0)
STEEP = Histogram((100.0, 200.0, 400.0), (900, 80, 20))


def foretold(
    name: str,
    share: float,
    rate: float,
    latencies: Histogram = UNKNOWN,
    *,
    max_error_increase: float = 0.01,
) -> float:
    """Of the part of that name."""
    test = SequentialTest(
        max_error_increase=max_error_increase, quantiles=(0.95,), latency_limits=((0.95, 300.0),)
    )
    (part,) = (part for part in test.parts if part.name == name)
    return requests_to_pass(part, share, rate, latencies)


@pytest.mark.parametrize(
    ("share", "rate"), [(0.5, 0.0), (0.5, 0.004), (0.1, 0.001), (0.1, 0.004), (0.25, 0.03)]
)
def test_half_of_all_equal_candidates_pass_by_then_and_nine_of_ten_in_twice_that(
    share: float, rate: float
) -> None:
    requests = foretold("errors", share, rate)
    random = np.random.default_rng(31)
    took = np.array([_passed_after(requests, share, rate, random) for _ in range(RUNS)])

    assert 0.5 <= np.median(took) <= 1.3
    assert np.mean(took <= NINE_IN_TEN) >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / RUNS)


@pytest.mark.parametrize("rate", [0.0, 0.002, 0.02, 0.035])
def test_a_limit_is_shown_to_be_kept_by_then(rate: float) -> None:
    requests = foretold("error limit", 1.0, rate)
    random = np.random.default_rng(32)
    took = []
    for _ in range(400):
        bad = random.binomial(math.ceil(requests / LOOKS), rate, LOOKS * LONGEST).cumsum()
        seen = math.ceil(requests / LOOKS) * np.arange(1, len(bad) + 1)
        evidence = [
            evidence_below(Counts(int(all_ - some), int(some)), 0.05)
            for all_, some in zip(seen, bad, strict=True)
        ]
        passed = np.array(evidence) >= -math.log(0.05)
        took.append((passed.argmax() + 1) / LOOKS if passed.any() else np.inf)

    assert 0.5 <= np.median(took) <= 1.3
    assert np.mean(np.array(took) <= NINE_IN_TEN) >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / 400)


def test_the_forecast_is_what_the_evidence_comes_to_if_all_goes_as_expected() -> None:
    requests = 100 * math.ceil(foretold("errors", 0.5, 0.01) / 100)
    each = Counts(requests // 2 - requests // 200, requests // 200)
    evidence = evidence_within(each, each, 0.01)

    assert evidence == pytest.approx(-math.log(0.05), rel=0.05)


def test_a_limit_that_the_baseline_does_not_keep_is_never_passed() -> None:
    assert foretold("error limit", 0.5, 0.06) == math.inf
    quick = Histogram((100.0, 200.0, 400.0), (50, 50))
    assert foretold("p95 limit", 0.5, 0.0, quick) < math.inf
    slow = Histogram((100.0, 200.0, 400.0), (50, 20, 20, 10))
    assert foretold("p95 limit", 0.5, 0.0, slow) == math.inf


def test_latencies_that_nobody_knows_need_the_least() -> None:
    unknown, known = (foretold("p95 limit", 0.1, 0.0, each) for each in (UNKNOWN, STEEP))
    assert unknown < known < math.inf


def test_more_tolerance_needs_fewer_requests() -> None:
    strict, lax = (foretold("errors", 0.1, 0.01, max_error_increase=size) for size in (0.005, 0.02))
    assert lax < strict / 4


def test_a_quantile_is_passed_by_then() -> None:
    random = np.random.default_rng(33)
    values = random.lognormal(np.log(80), 0.6, 100_000)
    chances = np.bincount(
        np.searchsorted(EVEN.bounds, values, side="right"), minlength=len(EVEN.bounds) + 1
    ) / len(values)
    reference = Histogram(EVEN.bounds, tuple(int(count) for count in chances * 100_000))
    quantile = QuantileComparison(0.95)
    requests = foretold("p95", 0.3, 0.0, reference)

    def passed_after() -> float:
        result, mine, theirs = quantile.start(reference), np.zeros(68, int), np.zeros(68, int)
        for place in range(1, LOOKS * LONGEST + 1):
            mine += random.multinomial(math.ceil(0.3 * requests / LOOKS), chances)
            theirs += random.multinomial(math.ceil(0.7 * requests / LOOKS), chances)
            result = quantile.update(result, _histogram(mine), _histogram(theirs), place)
            if result.outcome is Outcome.PASS:
                return place / LOOKS
        return math.inf

    took = np.array([passed_after() for _ in range(60)])

    assert 0.5 <= np.median(took) <= 1.3
    assert np.mean(took <= NINE_IN_TEN) >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / 60)


def _histogram(counts: np.ndarray) -> Histogram:
    return Histogram(EVEN.bounds, tuple(map(int, counts)))


def _passed_after(requests: float, share: float, rate: float, random: np.random.Generator) -> float:
    """In what was foretold; infinite where that was not enough by far."""
    test, mine, theirs = ErrorRateComparison(), Counts(), Counts()
    result = test.start()
    for place in range(1, LOOKS * LONGEST + 1):
        one = int(random.binomial(math.ceil(requests / LOOKS), share))
        mine += _drawn(one, rate, random)
        theirs += _drawn(math.ceil(requests / LOOKS) - one, rate, random)
        result = test.update(result, mine, theirs)
        if result.outcome is Outcome.PASS:
            return place / LOOKS
    return math.inf


def _drawn(requests: int, rate: float, random: np.random.Generator) -> Counts:
    bad = int(random.binomial(requests, rate))
    return Counts(requests - bad, bad)
