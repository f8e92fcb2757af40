"""Scaling by hand: a service without instances, and the way back."""

from datetime import timedelta

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from cloudrun_emulator.core.time import wait_until
from tests.contract.caller import Caller, answering, latest, pinned, result

Mode = run_v2.ServiceScaling.ScalingMode
State = run_v2.Condition.State
ZERO = run_v2.ServiceScaling(scaling_mode=Mode.MANUAL, manual_instance_count=0)
ONE = run_v2.ServiceScaling(scaling_mode=Mode.MANUAL, manual_instance_count=1)
AUTOMATIC = run_v2.ServiceScaling(scaling_mode=Mode.AUTOMATIC)


def scale(caller: Caller, scaling: run_v2.ServiceScaling) -> run_v2.Service:
    return caller.update("scaling", scaling=scaling)


def addresses(service: run_v2.Service) -> list[str]:
    tagged = [status.uri for status in service.traffic_statuses if status.uri]
    return [service.uri, *tagged]


@pytest.fixture
def tagged(caller: Caller) -> run_v2.Service:
    """A public service of two revisions, the second reached by its tag."""
    caller.create(revision="one", invoker_iam_disabled=True)
    one, two = f"{caller.service_id}-one", f"{caller.service_id}-two"
    return caller.update(
        "template,traffic",
        template=caller.template(revision="two"),
        traffic=[pinned(one, 100), pinned(two, 0, "candidate")],
    )


def test_a_service_scaled_to_zero_answers_nobody(caller: Caller, tagged: run_v2.Service) -> None:
    halted = scale(caller, ZERO)
    assert addresses(halted) == addresses(tagged)
    assert [httpx.get(url).status_code for url in addresses(halted)] == [503, 503]


@pytest.mark.parametrize("scaling", [AUTOMATIC, ONE], ids=["automatic", "one"])
def test_its_instances_come_back_before_its_users(
    caller: Caller, tagged: run_v2.Service, scaling: run_v2.ServiceScaling
) -> None:
    scale(caller, ZERO)
    awake = scale(caller, scaling)
    assert [answering(url) for url in addresses(awake)] == [
        f"{caller.service_id}-one",
        f"{caller.service_id}-two",
    ]
    assert addresses(awake) == addresses(tagged)


def test_scaling_is_a_generation_and_no_revision(caller: Caller, tagged: run_v2.Service) -> None:
    halted = scale(caller, ZERO)
    assert halted.generation == tagged.generation + 1
    assert halted.observed_generation == halted.generation
    assert halted.latest_created_revision == tagged.latest_created_revision
    assert halted.scaling == ZERO
    assert "manual_instance_count" in halted.scaling
    assert halted.traffic_statuses == tagged.traffic_statuses
    assert len(list(caller.revisions.list_revisions(parent=caller.service_name))) == 2


def test_one_field_of_the_scaling_is_enough(caller: Caller, tagged: run_v2.Service) -> None:
    scale(caller, ONE)
    halted = caller.update("scaling.manual_instance_count", scaling={"manual_instance_count": 0})
    assert halted.scaling == ZERO
    assert httpx.get(tagged.uri).status_code == 503


def test_users_are_turned_away_while_instances_end(caller: Caller, tagged: run_v2.Service) -> None:
    """At once: not when the last instance has taken its leave."""
    operation = caller.begin_update("scaling", scaling=ZERO)
    wait_until(lambda: httpx.get(tagged.uri).status_code == 503, timedelta(seconds=2), "a 503")
    result(operation)


def test_a_halted_service_can_be_changed_and_stays_halted(
    caller: Caller, tagged: run_v2.Service
) -> None:
    scale(caller, ZERO)
    caller.update("template", template=caller.template(revision="three"))
    moved = caller.route(pinned(f"{caller.service_id}-three", 100))
    assert moved.terminal_condition.state == State.CONDITION_SUCCEEDED
    assert httpx.get(tagged.uri).status_code == 503
    assert answering(scale(caller, AUTOMATIC).uri) == f"{caller.service_id}-three"


def test_a_service_is_halted_whatever_its_traffic_names(
    caller: Caller, tagged: run_v2.Service
) -> None:
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.route(pinned(f"{caller.service_id}-gone", 100))
    with pytest.raises(exceptions.GoogleAPICallError, match="does not exist or is deleted"):
        scale(caller, ZERO)
    assert httpx.get(tagged.uri).status_code == 503


def test_a_service_that_starts_can_be_halted(caller: Caller, tagged: run_v2.Service) -> None:
    template = caller.template("slow-start", "slow", START_SECONDS="60")
    caller.begin_update("template,traffic", template=template, traffic=[latest(100)])
    scale(caller, ZERO)
    assert httpx.get(tagged.uri).status_code == 503


def test_fewest_instances_of_a_service_are_accepted(caller: Caller, tagged: run_v2.Service) -> None:
    scaled = scale(caller, run_v2.ServiceScaling(min_instance_count=2))
    assert scaled.scaling.min_instance_count == 2
    assert answering(tagged.uri) == f"{caller.service_id}-one"


@pytest.mark.parametrize("name", ["min_instance_count", "manual_instance_count"])
def test_a_negative_count_is_refused(caller: Caller, name: str) -> None:
    caller.create()
    with pytest.raises(exceptions.BadRequest, match=rf"scaling\.{name}: must not be negative"):
        caller.begin_update("scaling", scaling={name: -1})
