"""Latencies in buckets, and all parts of a canary's judgement together."""

from bisect import bisect_right
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.model.stats import (
    Counts,
    Histogram,
    Outcome,
    QuantileComparison,
    Result,
    Sample,
    SequentialTest,
)

EMPTY = Histogram.exponential(66, 1.4, 1.0)
NOTHING = Histogram(())


def histogram(values: list[float]) -> Histogram:
    counts = [0] * (len(EMPTY.bounds) + 1)
    for value in values:
        counts[bisect_right(EMPTY.bounds, value)] += 1
    return Histogram(EMPTY.bounds, tuple(counts))


def taken(requests: int, seed: int, times: float = 1.0) -> Histogram:
    """Half of them take over 80 ms, one in twenty over 215 ms, that many times."""
    random = Random(seed)
    return histogram([times * random.lognormvariate(4.382, 0.6) for _ in range(requests)])


def judged(
    quantile: QuantileComparison, times: float, *, reference: bool = True, both: float = 1.0
) -> Result:
    """For a minute, at each second's 200 requests, of which the candidate answers a quarter."""
    result = quantile.start(taken(5000, 1) if reference else NOTHING)
    candidate, baseline = taken(0, 0), taken(0, 0)
    for second in range(1, 61):
        candidate += taken(50, second + 1, times * both)
        baseline += taken(150, -second - 1, both)
        result = quantile.update(result, candidate, baseline, second)
        if result.outcome is Outcome.FAIL:
            break
    return result


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("reference", [True, False])
def test_a_candidate_of_higher_latency_fails_and_an_equal_one_does_not(
    share: float, *, reference: bool
) -> None:
    max_latency_increase, equal = (
        judged(QuantileComparison(share), times, reference=reference) for times in (1.8, 1.0)
    )

    assert max_latency_increase.outcome is Outcome.FAIL
    assert equal.outcome in {Outcome.PASS, Outcome.INCONCLUSIVE}


@pytest.mark.parametrize("share", [0.5, 0.95])
@pytest.mark.parametrize("both", [1.0, 1.4])
def test_an_equal_candidate_passes_though_latencies_of_both_rise(share: float, both: float) -> None:
    assert judged(QuantileComparison(share), 1.0, both=both).outcome is Outcome.PASS


@pytest.mark.parametrize("both", [1.0, 1.4])
def test_a_candidate_that_is_too_slow_does_not_pass(both: float) -> None:
    assert judged(QuantileComparison(0.5), 1.8, both=both).outcome is not Outcome.PASS


def test_a_candidate_above_a_baseline_whose_latency_rises_does_not_pass() -> None:
    """p95 was 97 ms, and is 130 ms; of the candidate, four in five take 675 ms."""
    quantile = QuantileComparison(0.95)
    result = quantile.start(histogram([60.0] * 94 + [97.0] * 6))
    for second in range(1, 61):
        candidate = histogram([40.0] * 10 * second + [675.0] * 40 * second)
        baseline = histogram([60.0] * 40 * second + [130.0] * 10 * second)
        result = quantile.update(result, candidate, baseline, second)

    assert result.outcome is Outcome.FAIL
    assert "took over" in quantile.sentence(result)


@pytest.mark.parametrize("times", [5.0, 0.1])
def test_what_the_bound_was_read_from_is_not_tested(times: float) -> None:
    quantile = QuantileComparison(0.95)
    counted = taken(300, 3, times), taken(300, 4)
    calibrated = quantile.update(quantile.start(), *counted, 1)
    again = quantile.update(calibrated, *counted, 2, last=True)

    assert calibrated.outcome is again.outcome is Outcome.INCONCLUSIVE
    assert calibrated.evidence == quantile.start().evidence
    assert (again.evidence.against, again.evidence.for_) == pytest.approx((0, 0))


def test_a_baseline_that_nobody_knows_is_no_data() -> None:
    quantile = QuantileComparison(0.95)
    result = quantile.update(quantile.start(), taken(100, 3), taken(20, 4), 1)

    assert result.outcome is Outcome.NO_DATA
    assert quantile.sentence(result) == "no data: it is not known yet what the baseline takes"


def test_a_verdict_on_latency_names_the_bound() -> None:
    quantile = QuantileComparison(0.95)
    sentence = quantile.sentence(judged(quantile, 1.8))

    assert sentence == (
        "rolled back after 4,000 requests: "
        "227 of 1,000 candidate requests took over 217.8 ms, 132 of 3,000 baseline requests"
    )


@given(st.lists(st.floats(0, 1000)), st.sampled_from(EMPTY.bounds))
@settings(deadline=None)
def test_a_bound_parts_what_was_counted(values: list[float], bound: float) -> None:
    slow = sum(value >= bound for value in values)

    assert histogram(values).split_at(bound) == Counts(len(values) - slow, slow)


@given(st.floats(EMPTY.bounds[0], EMPTY.bounds[-1]))
@settings(deadline=None)
def test_a_value_lies_between_its_bounds(value: float) -> None:
    below, above = EMPTY.bound_at_or_below(value), EMPTY.bound_at_or_above(value)

    assert below <= value <= above
    assert below == above or (below, above) in pairwise(EMPTY.bounds)


WHOLE = SequentialTest(quantiles=(0.5, 0.95, 0.99), latency_limits=((0.99, 2000),))


def looked(test: SequentialTest, candidate: Sample, baseline: Sample) -> tuple[Outcome, str]:
    results = test.update(test.start(taken(5000, 1)), candidate, baseline)
    return results.outcome, test.sentence(results)


@given(
    st.floats(0.001, 0.1),
    st.none() | st.just(0.05),
    st.sets(st.sampled_from([0.5, 0.9, 0.95, 0.99])),
    st.sets(st.sampled_from([(0.95, 500.0), (0.99, 2000.0)])),
)
@settings(deadline=None)
def test_all_parts_together_keep_one_alpha(
    alpha: float,
    limit: float | None,
    quantiles: set[float],
    limits: set[tuple[float, float]],
) -> None:
    test = SequentialTest(
        alpha, error_limit=limit, quantiles=tuple(quantiles), latency_limits=tuple(limits)
    )
    alphas = [part.test.alpha for part in test.parts]

    assert len(alphas) == 1 + (limit is not None) + len(quantiles) + len(limits)
    assert sum(alphas) == pytest.approx(alpha)
    assert len({part.name for part in test.parts}) == len(alphas)


def test_a_healthy_candidate_passes_in_every_part() -> None:
    candidate = Sample(Counts(4_000, 4), taken(4_004, 5, 0.8), 60)
    outcome, sentence = looked(WHOLE, candidate, Sample(Counts(4_000, 4), taken(4_004, 6)))

    assert outcome is Outcome.PASS
    assert sentence == (
        "passed after 8,008 requests: "
        "4 of 4,004 candidate requests failed, 4 of 4,004 baseline requests"
    )


def test_one_part_that_fails_is_enough() -> None:
    slow = Sample(Counts(4_000, 4), taken(4_004, 5, 2.0), 60)
    outcome, sentence = looked(WHOLE, slow, Sample(Counts(4_000, 4), taken(4_004, 6)))

    assert outcome is Outcome.FAIL
    assert sentence.startswith("p50: rolled back after 8,008 requests: ")


def test_one_part_without_data_is_no_pass() -> None:
    silent = Sample(Counts(4_000, 4), NOTHING)
    outcome, sentence = looked(WHOLE, silent, Sample(Counts(4_000, 4), taken(4_004, 6)))

    assert outcome is Outcome.NO_DATA
    assert sentence == "p50: no data: the candidate answered 0 requests, the baseline 4,004"


def test_a_limit_within_a_bucket_is_held_against_nobody() -> None:
    test = SequentialTest(error_limit=None, latency_limits=((0.9, 100.0),))
    within = histogram([90.0] * 400)
    beyond = histogram([150.0] * 400)
    outcomes = [
        test.update(test.start(), sample, sample).by_part["p90 limit"].outcome
        for sample in (Sample(Counts(400), each, seconds=60) for each in (within, beyond))
    ]

    assert EMPTY.bound_at_or_below(100.0) == EMPTY.bound_at_or_below(90.0)
    assert outcomes == [Outcome.INCONCLUSIVE, Outcome.FAIL]


def test_the_next_step_has_to_pass_in_every_part_anew() -> None:
    healthy = Sample(Counts(4_000, 4), taken(4_004, 5, 0.8), 60)
    beside = Sample(Counts(4_000, 4), taken(4_004, 6))
    passed = WHOLE.update(WHOLE.start(taken(5000, 1)), healthy, beside)
    begun = WHOLE.next_step(passed)
    again = WHOLE.update(begun, healthy, beside)

    assert passed.outcome is Outcome.PASS
    assert {result.outcome for result in again.by_part.values()} == {Outcome.INCONCLUSIVE}
    assert [result.evidence.against for result in again.by_part.values()] == [
        result.evidence.against for result in passed.by_part.values()
    ]
