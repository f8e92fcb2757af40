"""A canary that could see nothing is refused before it begins."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import HttpRequest, HttpResponse
from greenrun.model.plan import CanaryPlan, Plan, Probe, Underpowered
from greenrun.model.stats import Counts
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release.preflight import canary
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
    assert told(canary.has_power) == []
    counted = "(100 requests/s, 0 % errors): a healthy candidate passes in 7 s"
    assert context.measured == [
        f"canary at {share} %: within 1 min; "
        f"our own probes {counted} and the platform's metrics {counted}"
        for share in (10, 50)
    ]


def test_a_step_that_could_see_nothing_is_refused(told: Told, quiet: Plan) -> None:
    assert told(canary.has_power, quiet) == [
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
        told(canary.has_power, replace(quiet, canary=CanaryPlan((5, 50), probes_per_second=10)))
        == []
    )


def test_it_is_lengthened_where_that_is_wished(told: Told, quiet: Plan, context: Context) -> None:
    patient = replace(quiet, canary=replace(quiet.canary, underpowered=Underpowered.LENGTHENED))
    assert told(canary.has_power, patient) == []
    assert context.measured[0].startswith("canary at 5 %: within 1 h 39 min; ")


@pytest.mark.parametrize("underpowered", Underpowered)
def test_a_rehearsal_without_probes_sees_nothing_however_long(
    told: Told, plan: Plan, world: World, underpowered: Underpowered
) -> None:
    world.metrics.answering[BASELINE] = Counts(1000)
    found = told(
        canary.has_power,
        replace(
            plan,
            canary=CanaryPlan((10,), probes_per_second=0, underpowered=underpowered, alone=True),
        ),
    )
    assert found == [
        (
            "canary at 10 %: got the platform's metrics: 0 requests/s, 0 % errors, needs what a "
            "healthy candidate could pass by (errors); hint: send "
            "`canary.probes-per-second: 1`; or tolerate more (`canary.max-error-increase`, "
            "`canary.max-latency-increase`, the objectives)"
        )
    ]


def test_a_rehearsal_of_which_nothing_is_said_finds_a_rate_that_decides_within_a_minute(
    told: Told, plan: Plan, context: Context
) -> None:
    assert told(canary.has_power, replace(plan, canary=CanaryPlan((10, 50), alone=True))) == []
    (ten, fifty) = context.measured
    assert ten.startswith(
        "canary at 10 %: within 15 min; our own probes (30 requests/s, 0 % errors)"
    )
    assert fifty.startswith("canary at 50 %: within 15 min; our own probes (30 requests/s, 0 %")


def test_in_the_cloud_nothing_said_is_no_probe(told: Told, quiet: Plan) -> None:
    (line,) = told(canary.has_power, replace(quiet, canary=CanaryPlan((5,))))
    assert "send `canary.probes-per-second: 10`" in line


def test_a_probe_that_the_service_answers_otherwise_is_told(
    told: Told, plan: Plan, world: World, context: Context
) -> None:
    """As a service that takes what Pub/Sub pushes: 405 to any GET."""

    def receiver(request: HttpRequest) -> HttpResponse:
        took = request.method == "POST" and request.json == {"message": {}}
        return HttpResponse(204 if took else 405, {}, "", timedelta(milliseconds=5))

    world.web.answers["/push"] = receiver
    right = Probe("POST", "/push", json={"message": {}}, statuses=(204,))
    wrong = (Probe("GET", "/push"), Probe("POST", "/push", statuses=(200, 204)), Probe("PUT", "/"))
    probes = (Probe(), right, *wrong)
    found = told(canary.answers_probes, replace(plan, canary=CanaryPlan(probes=probes)))
    assert [line.partition(";")[0] for line in found] == [
        "the probe GET /push: got 405, needs 2xx or 3xx",
        "the probe POST /push (2): got 405, needs 200 or 204",
    ]
    assert "correct it in `canary.probes`" in found[0]
    assert context.measured[:2] == [
        "probe GET /: answered 2xx or 3xx",
        "probe POST /push: answered 204",
    ]


def test_an_error_now_and_then_is_no_wrong_probe(told: Told, plan: Plan, world: World) -> None:
    answers = iter([500, 503, 200])
    world.web.answers["/"] = lambda _: HttpResponse(next(answers), {}, "", timedelta())
    assert told(canary.answers_probes, plan) == []


def test_without_a_service_no_probe_is_asked(told: Told, world: World, context: Context) -> None:
    world.platform.state = None
    assert told(canary.answers_probes) == []
    assert world.web.asked == []
    assert context.measured == ["probes: asked of the candidate: first release"]


def test_what_others_complain_of_is_not_told_twice(
    told: Told, world: World, context: Context
) -> None:
    split = TrafficSplit((Target(BASELINE, 90), Target("shop-next", 10)))
    world.platform.change_by_somebody(wanted=split, actual=split)
    assert told(canary.has_power) == []
    assert context.measured == ["canary: its power is not known without a baseline"]


def test_a_first_release_has_no_canary_to_forecast(
    told: Told, world: World, context: Context
) -> None:
    world.platform.state = None
    assert told(canary.has_power) == []
    assert context.measured == ["canary: not needed: first release"]


def test_metrics_that_cannot_be_read_are_no_reason_to_begin(
    told: Told, quiet: Plan, world: World
) -> None:
    world.platform.refuses.add("service")
    with pytest.raises(CallFailed):
        told(canary.has_power, quiet)
