"""What a canary is able to see is known before it starts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.canary.power import LONGEST, Forecast, Traffic
from greenrun.model.canary_step import CountedBy
from greenrun.model.histogram import Histogram
from greenrun.model.plan import CanaryPlan, Underpowered
from greenrun.model.stats import Counts, Sample, SequentialTest

LATENCIES = Histogram((100.0, 200.0, 400.0), (200_000, 70_000, 6_480))
ANSWERED = Sample(Counts(275_374, 1_106), LATENCIES)
LAG = timedelta(minutes=4)
QUIET, BUSY = Traffic(), Traffic(100, ANSWERED, timedelta(days=1))
SLOW = replace(BUSY, per_second=3.2)
PLAN = CanaryPlan((10, 50))
TRIAL = SequentialTest(0.005, error_limit=0.05)


def forecast(
    plan: CanaryPlan = PLAN, traffic: Traffic = SLOW, trial: SequentialTest = TRIAL
) -> Forecast:
    return Forecast(plan, trial, traffic, LAG)


def test_a_busy_service_needs_no_probes() -> None:
    seen = forecast(traffic=BUSY)
    (power,) = seen.at(10)

    assert power.flow.counted_by is CountedBy.PLATFORM
    assert (power.flow.per_second, power.flow.share) == (100, 0.1)
    assert str(power.flow) == "100 requests/s, 0.4 % errors"
    assert LAG < power.passes < power.surely < PLAN.max_duration
    assert not list(seen.underpowered())


def test_a_slow_service_sees_too_little_at_a_small_share() -> None:
    seen = forecast()

    assert [(power.share, power.slowest) for power in seen.underpowered()] == [(10, "errors")]
    assert seen.passes(50) < PLAN.max_duration < seen.passes(10)
    assert seen.max_duration(10) == PLAN.max_duration


def test_probes_make_up_for_users() -> None:
    seen = forecast()
    needed = seen.enough_probes(10)

    assert needed is not None
    for number, underpowered in ((needed, False), (needed / 4, True)):
        more = forecast(replace(PLAN, probes_per_second=number))
        assert more.is_blind(10) is underpowered
    assert {power.flow.counted_by for power in more.at(10)} == set(CountedBy)


def test_our_own_probes_are_mixed_as_users_are_and_counted_by_the_platform_too() -> None:
    probes, platform = forecast(replace(PLAN, probes_per_second=6.8)).at(10)

    assert (probes.flow.per_second, probes.flow.share, probes.flow.rate) == (6.8, 0.1, 0.0)
    assert platform.flow.per_second == pytest.approx(10)
    assert platform.flow.share == pytest.approx(0.1)
    assert platform.flow.rate == pytest.approx(0.004 * 0.32, rel=0.01)
    assert (probes.flow.lag, platform.flow.lag) == (timedelta(), LAG)


def test_without_requests_nothing_can_be_seen() -> None:
    (power,) = forecast(traffic=QUIET).at(10)

    assert power.passes == power.surely == power.sees == timedelta.max
    assert power.least(timedelta(days=1)) is None
    assert len(list(forecast(traffic=QUIET).underpowered())) == len(PLAN.steps)


@pytest.mark.parametrize("traffic", [SLOW, BUSY])
def test_a_step_is_lengthened_to_what_it_surely_needs(traffic: Traffic) -> None:
    seen = forecast(replace(PLAN, underpowered=Underpowered.LENGTHENED), traffic)

    for share in PLAN.steps:
        assert seen.max_duration(share) >= max(PLAN.max_duration, seen.surely(share))
        assert seen.max_duration(share) <= max(
            PLAN.max_duration, seen.surely(share) + timedelta(minutes=1)
        )
    assert not list(seen.underpowered())


def test_what_could_never_pass_cannot_be_lengthened() -> None:
    failing = replace(SLOW, sample=Sample(Counts(900, 100), LATENCIES))
    rare = replace(SLOW, per_second=0.01)
    for traffic in (failing, rare, QUIET):
        seen = forecast(replace(PLAN, underpowered=Underpowered.LENGTHENED), traffic)
        assert seen.surely(10) > LONGEST
        assert seen.max_duration(10) == PLAN.max_duration
        assert seen.is_blind(10)
    assert next(forecast(traffic=failing).underpowered()).slowest == "error limit"
    assert forecast(traffic=failing).enough_probes(10) is not None


def test_latencies_count_where_they_are_judged_and_are_not_known_of_probes() -> None:
    trial = replace(TRIAL, quantiles=(0.95,), latency_limits=((0.95, 400.0),))
    asked = forecast(replace(PLAN, probes_per_second=10), trial=trial)

    assert [power.known for power in asked.at(10)] == [False, True]
    assert [power.known for power in forecast().at(10)] == [True]


def test_a_slow_one_among_few_requests_foretells_nothing() -> None:
    """As when a release follows another at once; of more, as many slow ones stand in the way."""
    trial = replace(TRIAL, quantiles=(0.95,), latency_limits=((0.95, 200.0),))
    few, more = (
        replace(BUSY, sample=Sample(Counts(10 * n), Histogram((100.0, 400.0), (9 * n, n))))
        for n in (2, 200)
    )

    assert not list(forecast(traffic=few, trial=trial).underpowered())
    assert not any(power.known for power in forecast(traffic=few, trial=trial).at(10))
    assert {power.share for power in forecast(traffic=more, trial=trial).underpowered()} == {10, 50}


def test_more_time_shows_smaller_rises() -> None:
    (power,) = forecast().at(10)
    short, long = power.least(timedelta(minutes=15)), power.least(power.sees)

    assert power.worse == pytest.approx(0.014, rel=0.01)
    assert short is not None
    assert long == pytest.approx(power.worse, rel=0.01)
    assert short > 2 * power.worse
    assert power.least(LAG) is None


def test_single_paths_take_half_of_what_the_errors_of_probes_have() -> None:
    probed = replace(PLAN, probes_per_second=10)
    one, several = (
        forecast(replace(probed, probe_paths=paths)).at(10)[0] for paths in (("/",), ("/", "/a"))
    )

    assert one.alpha == 2 * several.alpha
    assert one.sees < several.sees
