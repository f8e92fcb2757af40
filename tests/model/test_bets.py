"""The bets of which evidence is made are fair, by counting every case there is."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.model.stats import Counts
from greenrun.model.stats.bets import (
    LOG_STAKES,
    STEPS,
    evidence_above,
    evidence_below,
    fisher_gains,
    hedged_evidence_above,
    log_mixture,
)
from greenrun.model.stats.comparisons import evidence_within

SMALL = st.integers(0, 25)
RATES = st.floats(0.001, 0.6)
COUNTS = st.builds(Counts, st.integers(0, 500), st.integers(0, 60))


def ways_to_fall(one: int, other: int, bad: int, odds: float) -> dict[int, float]:
    """How likely each number of bad ones among the `one` is, with the candidate's odds so high."""
    places = range(max(0, bad - other), min(one, bad) + 1)
    ways = {k: math.comb(one, k) * math.comb(other, bad - k) * odds**k for k in places}
    return {k: way / sum(ways.values()) for k, way in ways.items()}


def chance(bad: int, of: int, rate: float) -> float:
    return math.comb(of, bad) * rate**bad * (1 - rate) ** (of - bad)


@given(SMALL, SMALL, SMALL, st.floats(0.05, 1))
@settings(deadline=None)
def test_no_bet_gains_on_average_where_the_candidate_is_no_worse(
    one: int, other: int, bad: int, odds: float
) -> None:
    bad = min(bad, one + other)
    means = [0.0] * len(STEPS)
    for k, likely in ways_to_fall(one, other, bad, odds).items():
        gains = fisher_gains(Counts(one - k, k), Counts(other - bad + k, bad - k))
        means = [mean + likely * math.exp(gain) for mean, gain in zip(means, gains, strict=True)]

    assert max(means) <= 1 + 1e-9
    if odds == 1:
        assert means == pytest.approx([1.0] * len(STEPS))


@given(st.integers(1, 25), st.integers(1, 25), st.integers(1, 49), st.sampled_from(STEPS))
@settings(deadline=None)
def test_a_bet_gains_what_its_likelihood_is_worth(
    one: int, other: int, bad: int, step: float
) -> None:
    bad = min(bad, one + other - 1)
    equal, worse = (ways_to_fall(one, other, bad, odds) for odds in (1.0, math.exp(step)))
    for k, likely in worse.items():
        gains = fisher_gains(Counts(one - k, k), Counts(other - bad + k, bad - k))
        assert gains[STEPS.index(step)] == pytest.approx(math.log(likely / equal[k]), abs=1e-7)


def test_a_million_requests_are_tested_as_exactly_as_a_few() -> None:
    gains = fisher_gains(Counts(49_000, 1_000), Counts(931_000, 19_000))

    assert gains[0] == pytest.approx(-950 * STEPS[0] ** 2 / 2, rel=0.05)
    assert all(later < earlier for earlier, later in pairwise(gains))


@given(st.integers(0, 30), RATES, st.floats(0, 1))
@settings(deadline=None)
def test_nothing_is_gained_against_a_limit_that_is_kept(of: int, limit: float, part: float) -> None:
    kept, broken = limit * part, limit + (1 - limit) * part
    counted = [(Counts(of - bad, bad), bad) for bad in range(of + 1)]
    evidence = {
        judge: sum(
            chance(bad, of, rate) * math.exp(judge(counts, limit)) for counts, bad in counted
        )
        for judge, rate in (
            (evidence_above, kept),
            (hedged_evidence_above, kept),
            (evidence_below, broken),
        )
    }

    assert max(evidence.values()) <= 1 + 1e-9


@given(st.integers(0, 8), st.integers(0, 8), st.floats(0, 0.5), st.floats(0, 0.2))
@settings(deadline=None, max_examples=25)
def test_nothing_is_gained_for_a_candidate_that_is_too_bad(
    one: int, other: int, rate: float, more: float
) -> None:
    max_error_increase = 0.1
    worse = rate + max_error_increase + more
    mean = sum(
        chance(bad, one, worse)
        * chance(failed, other, rate)
        * math.exp(
            evidence_within(
                Counts(one - bad, bad), Counts(other - failed, failed), max_error_increase
            )
        )
        for bad in range(one + 1)
        for failed in range(other + 1)
    )

    assert mean <= 1 + 1e-6


@given(COUNTS, COUNTS, st.floats(0, 0.9))
@settings(deadline=None)
def test_evidence_for_a_candidate_holds_for_every_rate_of_the_baseline(
    candidate: Counts, baseline: Counts, rate: float
) -> None:
    least = evidence_within(candidate, baseline, 0.01)

    assert (
        least
        <= evidence_below(candidate, rate + 0.01) + hedged_evidence_above(baseline, rate) + 1e-6
    )


def test_the_stakes_are_one_together() -> None:
    assert log_mixture((0.0,) * len(STEPS)) == pytest.approx(0)
    assert sum(map(math.exp, LOG_STAKES)) == pytest.approx(1)
