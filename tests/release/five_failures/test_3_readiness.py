"""Readiness misread, or waited for without end."""

from datetime import timedelta

import pytest
from google.cloud import run_v2

from cloudrun_emulator.emulator import LocalCloud
from greenrun.model.errors import DeadlineExceeded, GateClosed
from greenrun.model.interfaces import Timeout
from greenrun.model.revision import Readiness
from tests.release.five_failures.world import NEW, OLD, PATIENCE, World, new, template, to

SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED
BRIEF = 0.5
BESIDE = (to(OLD), to(NEW, 0, "candidate"))


def naive_is_ready(revision: run_v2.Revision) -> bool:
    """`all conditions are True`"""
    return all(condition.state == SUCCEEDED for condition in revision.conditions)


def naive_deploy(world: World, program: str = "echo") -> run_v2.Revision:
    """Without traffic; waits for the operation."""
    change = run_v2.Service(name=world.name, template=template(NEW, program), traffic=BESIDE)
    world.update(change, "template", "traffic")
    return world.clients.revisions.get_revision(name=f"{world.name}/revisions/{NEW}")


def our_deploy(world: World, program: str = "echo", seconds: float = 10) -> None:
    before = world.reading()
    split = before.actual.shared({OLD: 100}).tagged(NEW, "candidate")
    timeout = Timeout(timedelta(seconds=seconds))
    world.ours.deploy(new(NEW, program), split, before, timeout)


def test_a_naive_look_never_finds_a_revision_without_traffic_ready(world: World) -> None:
    """It is Ready and Retired: not Active, which is no failure."""
    assert not naive_is_ready(naive_deploy(world))


def test_ours_finds_it_ready(world: World) -> None:
    our_deploy(world)
    candidate = world.ours.revision(NEW)
    assert candidate is not None
    assert candidate.readiness is Readiness.READY


def test_a_naive_wait_lasts_as_long_as_an_image_cannot_be_pulled(
    world: World, cloud: LocalCloud
) -> None:
    """`operation.result()` has fifteen minutes by default; here it is asked for its patience."""
    cloud.faults.add(f"revision {NEW}: never ready")
    change = run_v2.Service(name=world.name, template=template(NEW), traffic=BESIDE)
    request = run_v2.UpdateServiceRequest(
        service=change, update_mask={"paths": ["template", "traffic"]}
    )
    operation = world.client.update_service(request)
    with pytest.raises(TimeoutError):
        operation.result(timeout=BRIEF)  # type: ignore[no-untyped-call] # bare there
    assert not operation.done()  # type: ignore[no-untyped-call] # bare there


def test_ours_says_in_time_what_it_waited_for_and_what_it_saw(
    world: World, cloud: LocalCloud
) -> None:
    world.split(to(OLD))
    cloud.faults.add(f"revision {NEW}: never ready")
    with pytest.raises(DeadlineExceeded, match=f"revision {NEW} .* to be ready") as exceeded:
        our_deploy(world, seconds=BRIEF)
    assert "Ready pending" in exceeded.value.last_seen
    assert world.answering() == OLD


def test_ours_says_at_once_that_there_is_no_such_image(world: World) -> None:
    world.split(to(OLD))
    with pytest.raises(GateClosed, match="CONTAINER_MISSING"):
        our_deploy(world, "gone", seconds=PATIENCE.within.total_seconds())
    assert world.answering() == OLD
