"""A canary that could see nothing is refused before it begins."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.model.errors import CallFailed
from greenrun.model.plan import CanaryPlan, Plan, Underpowered
from greenrun.model.stats import Counts
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release.preflight import canary_power
from greenrun.release.preflight.context import Context
from tests.conftest import BASELINE, World
from tests.release.preflight.conftest import Told


@pytest.fixture
def quiet(plan: Plan, world: World) -> Plan:
    """Three users' requests a second, of which none fails."""
    world.metrics.answering[BASELINE] = Counts(3)
    world.metrics.lag = timedelta(minutes=4)
    return replace(plan, environment="prod", canary=CanaryPlan((5, 50)))


def test_enough_requests_are_told_as_evidence(told: Told, context: Context) -> None:
    assert told(canary_power.suffices) == []
    counted = "(100 requests/s, 0 % errors): a healthy candidate passes in 7 s"
    assert context.measured == [
        f"canary at {share} %: within 1 min; "
        f"our own probes {counted} and the platform's metrics {counted}"
        for share in (10, 50)
    ]


def test_a_step_that_could_see_nothing_is_refused(told: Told, quiet: Plan) -> None:
    assert told(canary_power.suffices, quiet) == [
        (
            "canary at 5 %: got 15 min, needs 51 min 19 s for a healthy candidate to pass "
            "(errors, by the platform's metrics: 2.8 requests/s, 0 % errors); hint: allow "
            "`canary.max-duration: 99m` or `canary.underpowered: lengthen`; or send "
            "`canary.probes-per-second: 10`; or tolerate more (`canary.max-error-increase`, "
            "`canary.max-latency-increase`, the objectives)"
        )
    ]


def test_the_probes_that_it_names_are_enough(told: Told, quiet: Plan) -> None:
    assert (
        told(
            canary_power.suffices, replace(quiet, canary=CanaryPlan((5, 50), probes_per_second=10))
        )
        == []
    )


def test_it_is_lengthened_where_that_is_wished(told: Told, quiet: Plan, context: Context) -> None:
    patient = replace(quiet, canary=replace(quiet.canary, underpowered=Underpowered.LENGTHENED))
    assert told(canary_power.suffices, patient) == []
    assert context.measured[0].startswith("canary at 5 %: within 1 h 39 min; ")


@pytest.mark.parametrize("underpowered", Underpowered)
def test_a_rehearsal_without_probes_sees_nothing_however_long(
    told: Told, plan: Plan, world: World, underpowered: Underpowered
) -> None:
    world.metrics.answering[BASELINE] = Counts(1000)
    found = told(
        canary_power.suffices,
        replace(plan, canary=CanaryPlan((10,), underpowered=underpowered, alone=True)),
    )
    assert found == [
        (
            "canary at 10 %: got the platform's metrics: 0 requests/s, 0 % errors, needs what a "
            "healthy candidate could pass by (errors); hint: send "
            "`canary.probes-per-second: 1`; or tolerate more (`canary.max-error-increase`, "
            "`canary.max-latency-increase`, the objectives)"
        )
    ]


def test_what_others_complain_of_is_not_told_twice(
    told: Told, world: World, context: Context
) -> None:
    split = TrafficSplit((Target(BASELINE, 90), Target("shop-next", 10)))
    world.platform.change_by_somebody(wanted=split, actual=split)
    assert told(canary_power.suffices) == []
    assert context.measured == ["canary: its power is not known without a baseline"]


def test_a_first_release_has_no_canary_to_forecast(
    told: Told, world: World, context: Context
) -> None:
    world.platform.state = None
    assert told(canary_power.suffices) == []
    assert context.measured == ["canary: not needed: first release"]


def test_metrics_that_cannot_be_read_are_no_reason_to_begin(
    told: Told, quiet: Plan, world: World
) -> None:
    world.platform.refuses.add("service")
    with pytest.raises(CallFailed):
        told(canary_power.suffices, quiet)
