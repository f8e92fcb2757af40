"""What a canary is able to see is known before it starts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.canary.forecast import LONGEST, Forecast, UserTraffic
from greenrun.model.canary_step import CountedBy
from greenrun.model.plan import CanaryPlan, Probe, Underpowered
from greenrun.model.stats import Counts, Histogram, Sample, SequentialTest

LATENCIES = Histogram((100.0, 200.0, 400.0), (200_000, 70_000, 6_480))
ANSWERED = Sample(Counts(275_374, 1_106), LATENCIES)
LAG = timedelta(minutes=4)
QUIET, BUSY = UserTraffic(), UserTraffic(100, ANSWERED, timedelta(days=1))
SLOW = replace(BUSY, per_second=3.2)
PLAN = CanaryPlan((10, 50))
TRIAL = SequentialTest(0.005, error_limit=0.05)


def forecast(
    plan: CanaryPlan = PLAN, traffic: UserTraffic = SLOW, test: SequentialTest = TRIAL
) -> Forecast:
    return Forecast(plan, test, traffic, LAG)


def test_a_busy_service_needs_no_probes() -> None:
    seen = forecast(traffic=BUSY)
    (power,) = seen.at(10)

    assert power.expected.counted_by is CountedBy.PLATFORM
    assert (power.expected.per_second, power.expected.share) == (100, 0.1)
    assert str(power.expected) == "100 requests/s, 0.4 % errors"
    assert LAG < power.passes < power.passes_nine_in_ten < PLAN.max_duration
    assert not list(seen.underpowered_steps())


def test_too_few_requests_at_a_small_share_have_too_little_power() -> None:
    seen = forecast()

    assert [(power.share, power.slowest) for power in seen.underpowered_steps()] == [(10, "errors")]
    assert seen.passes(50) < PLAN.max_duration < seen.passes(10)
    assert seen.max_duration(10) == PLAN.max_duration


def test_probes_make_up_for_users() -> None:
    seen = forecast()
    needed = seen.sufficient_probes(10)

    assert needed is not None
    for number, underpowered in ((needed, False), (needed / 4, True)):
        more = forecast(replace(PLAN, probes_per_second=number))
        assert more.is_underpowered(10) is underpowered
    assert {power.expected.counted_by for power in more.at(10)} == set(CountedBy)


def test_our_own_probes_are_mixed_as_users_are_and_counted_by_the_platform_too() -> None:
    probes, platform = forecast(replace(PLAN, probes_per_second=6.8)).at(10)

    assert (probes.expected.per_second, probes.expected.share, probes.expected.rate) == (
        6.8,
        0.1,
        0.0,
    )
    assert platform.expected.per_second == pytest.approx(10)
    assert platform.expected.share == pytest.approx(0.1)
    assert platform.expected.rate == pytest.approx(0.004 * 0.32, rel=0.01)
    assert (probes.expected.lag, platform.expected.lag) == (timedelta(), LAG)


def test_without_requests_nothing_can_be_detected() -> None:
    (power,) = forecast(traffic=QUIET).at(10)

    assert power.passes == power.passes_nine_in_ten == power.detects == timedelta.max
    assert power.smallest_within(timedelta(days=1)) is None
    assert len(list(forecast(traffic=QUIET).underpowered_steps())) == len(PLAN.steps)


@pytest.mark.parametrize("traffic", [SLOW, BUSY])
def test_a_step_is_lengthened_to_what_it_surely_needs(traffic: UserTraffic) -> None:
    seen = forecast(replace(PLAN, underpowered=Underpowered.LENGTHENED), traffic)

    for share in PLAN.steps:
        assert seen.max_duration(share) >= max(PLAN.max_duration, seen.passes_nine_in_ten(share))
        assert seen.max_duration(share) <= max(
            PLAN.max_duration, seen.passes_nine_in_ten(share) + timedelta(minutes=1)
        )
    assert not list(seen.underpowered_steps())


def test_what_could_never_pass_cannot_be_lengthened() -> None:
    failing = replace(SLOW, sample=Sample(Counts(900, 100), LATENCIES))
    rare = replace(SLOW, per_second=0.01)
    for traffic in (failing, rare, QUIET):
        seen = forecast(replace(PLAN, underpowered=Underpowered.LENGTHENED), traffic)
        assert seen.passes_nine_in_ten(10) > LONGEST
        assert seen.max_duration(10) == PLAN.max_duration
        assert seen.is_underpowered(10)
    assert next(forecast(traffic=failing).underpowered_steps()).slowest == "error limit"
    assert forecast(traffic=failing).sufficient_probes(10) is not None


def test_latencies_count_where_they_are_judged_and_are_not_known_of_probes() -> None:
    test = replace(TRIAL, quantiles=(0.95,), latency_limits=((0.95, 400.0),))
    asked = forecast(replace(PLAN, probes_per_second=10), test=test)

    assert [power.known for power in asked.at(10)] == [False, True]
    assert [power.known for power in forecast().at(10)] == [True]


def test_a_slow_one_among_few_requests_foretells_nothing() -> None:
    """As when a release follows another at once; of more, as many slow ones stand in the way."""
    test = replace(TRIAL, quantiles=(0.95,), latency_limits=((0.95, 200.0),))
    few, more = (
        replace(BUSY, sample=Sample(Counts(10 * n), Histogram((100.0, 400.0), (9 * n, n))))
        for n in (2, 200)
    )

    assert not list(forecast(traffic=few, test=test).underpowered_steps())
    assert not any(power.known for power in forecast(traffic=few, test=test).at(10))
    assert {power.share for power in forecast(traffic=more, test=test).underpowered_steps()} == {
        10,
        50,
    }


def test_more_time_shows_smaller_rises() -> None:
    (power,) = forecast().at(10)
    short, long = power.smallest_within(timedelta(minutes=15)), power.smallest_within(power.detects)

    assert power.worse == pytest.approx(0.014, rel=0.01)
    assert short is not None
    assert long == pytest.approx(power.worse, rel=0.01)
    assert short > 2 * power.worse
    assert power.smallest_within(LAG) is None


def test_single_paths_take_half_of_what_the_errors_of_probes_have() -> None:
    probed = replace(PLAN, probes_per_second=10)
    one, several = (
        forecast(replace(probed, probes=probes)).at(10)[0]
        for probes in ((Probe(),), (Probe(), Probe(path="/a")))
    )

    assert one.alpha == 2 * several.alpha
    assert one.detects < several.detects
