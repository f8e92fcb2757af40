"""What people ask for by hand is done, verified, and told in the record's words."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.checks import service as proof
from greenrun.model.errors import (
    CallFailed,
    GateClosed,
    LockHeld,
    ManualActionRequired,
    ReleaseError,
)
from greenrun.model.release_state import Stage
from greenrun.model.revision import Readiness, RevisionSettings
from greenrun.model.service import Service
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release import manual
from greenrun.release.recovery import unfinished
from greenrun.release.release import Release
from tests.conftest import BASELINE, World
from tests.fakes import MANIFEST
from tests.stages import begun, deployed, moved, next_run, promoted

TAGGED = TrafficSplit((Target(BASELINE, 100), Target(BASELINE, 0, "of-alice")))


def reading(world: World) -> Service:
    assert world.platform.state is not None
    return world.platform.state


def claimed(release: Release) -> Release:
    release.acquire_lock()
    return release


def send_back(release: Release, *, to: str = "", unlock: bool = False) -> str:
    return manual.send_back(release, asked_for=True, to=to, unlock=unlock)


def test_a_closed_gate_sends_users_back_without_being_asked(release: Release, world: World) -> None:
    moved(release)
    assert manual.send_back(release, asked_for=False, to="", unlock=False) == BASELINE
    assert world.serving == {BASELINE: 100}
    assert release.manual_changes == []


def test_a_gate_that_closed_before_there_was_a_baseline_has_nowhere_to_go(
    release: Release,
) -> None:
    release.acquire_lock()
    assert manual.send_back(release, asked_for=False, to="", unlock=False) == ""
    proof.restored(release, "")


@pytest.mark.parametrize("last", [begun, deployed, moved, promoted])
def test_the_last_release_is_undone_finished_or_not(
    release: Release, world: World, last: Callable[[Release], Release]
) -> None:
    world.platform.state = replace(reading(world), wanted=TAGGED, actual=TAGGED)
    last(release)
    undoing = next_run(release)
    assert send_back(undoing) == BASELINE
    assert (reading(world).wanted, reading(world).actual) == (TAGGED, TAGGED)
    assert undoing.manual_changes == [f"rolled back to {BASELINE}"]
    proof.restored(undoing, BASELINE)
    assert next_run(undoing).acquire_lock() == replace(
        release.rollback.release_state, stage=Stage.RESTORED
    )


def test_undoing_twice_is_once(release: Release, world: World) -> None:
    promoted(release)
    undoing = next_run(release)
    send_back(undoing)
    before, calls = reading(world), list(world.platform.calls)
    assert send_back(next_run(undoing)) == BASELINE
    assert (reading(world), world.platform.calls) == (before, calls)


def test_without_a_known_release_a_person_has_to_name_the_revision(release: Release) -> None:
    with pytest.raises(ReleaseError, match="no release of it is known") as refused:
        send_back(release)
    assert refused.value.hint == "name the revision that shall serve: --to=REVISION"
    assert release.manual_changes == []


@pytest.mark.parametrize("contracted", [True, False])
def test_a_release_that_cannot_be_undone_stays_promoted(
    release: Release, world: World, *, contracted: bool
) -> None:
    promoted(release)
    release.guard.write_release_state(
        replace(release.rollback.release_state, contracted=contracted)
    )
    if not contracted:
        world.platform.change_by_somebody(wanted=TAGGED, actual=TAGGED)
    undoing, before = next_run(release), reading(world)
    with pytest.raises(ManualActionRequired):
        send_back(undoing)
    assert undoing.settle(passed=False) is False
    assert (reading(world), undoing.manual_changes) == (before, [])
    assert next_run(undoing).acquire_lock() == release.release_state


def test_every_user_is_sent_to_a_revision_by_name(release: Release, world: World) -> None:
    promoted(release)
    name = release.candidate.name
    undoing = next_run(release)
    assert send_back(undoing, to=BASELINE) == BASELINE
    split = TrafficSplit((Target(BASELINE, 100), Target(name, 0, "candidate")))
    assert (reading(world).wanted, reading(world).actual) == (split, split)
    assert undoing.manual_changes == [f"sent every user to {BASELINE}"]
    assert world.evidence.kept["traffic"] == (
        f"before: 100 % {name}, 0 % {name} (revision tag candidate)\nafter: {split}"
    )
    proof.restored(undoing, BASELINE)
    assert undoing.settle(passed=False) is False
    assert world.serving == {BASELINE: 100}


@pytest.mark.parametrize("contracted", [True, False])
def test_what_a_person_has_settled_is_no_hindrance_to_the_next_release(
    release: Release, world: World, *, contracted: bool
) -> None:
    moved(release)
    release_state = release.rollback.release_state
    release.guard.write_release_state(replace(release_state, contracted=contracted))
    world.platform.change_by_somebody(wanted=TAGGED, actual=TAGGED)
    undoing = next_run(release)
    with pytest.raises(ManualActionRequired, match="--to=REVISION"):
        send_back(undoing)
    settling = next_run(undoing)
    send_back(settling, to=release_state.candidate)
    later = claimed(next_run(settling))
    assert later.guard.last == replace(release_state, contracted=contracted, stage=Stage.LEFT)
    assert unfinished(later) is None
    assert later.find_baseline() == release_state.candidate


def test_an_image_by_digest_gets_the_settings_of_what_serves(
    release: Release, world: World
) -> None:
    richer = RevisionSettings(variables={"BY_HAND": "1"}, cpu="4")
    serving = world.platform.revisions_by_name[BASELINE]
    world.platform.revisions_by_name[BASELINE] = replace(serving, settings=richer)
    name = "shop-20261121-080000"
    assert send_back(release, to=str(MANIFEST)) == name
    assert world.serving == {name: 100}
    made = world.platform.revisions_by_name[name]
    assert (made.image, made.settings) == (f"registry.test/shop@{MANIFEST}", richer)
    assert release.manual_changes == [f"sent every user to {name}"]
    proof.restored(release, name)


def test_an_image_that_does_not_start_leaves_users_where_they_are(
    release: Release, world: World
) -> None:
    moved(release)
    serving = world.serving
    world.platform.unready.add(f"registry.test/shop@{MANIFEST}")
    undoing = next_run(release)
    with pytest.raises(GateClosed, match="'shop-20261121-080300' is not ready"):
        send_back(undoing, to=str(MANIFEST))
    assert world.serving == serving
    assert undoing.manual_changes == []
    assert unfinished(undoing) == release.release_state


def test_a_revision_that_nobody_knows_is_refused_with_those_that_are(
    release: Release, world: World
) -> None:
    deployed(release)
    undoing, before = next_run(release), reading(world)
    with pytest.raises(ReleaseError) as refused:
        send_back(undoing, to="shop-nowhere")
    assert str(refused.value) == (
        "shop has no revision shop-nowhere: the newest are "
        f"{release.candidate.name}, {BASELINE}\n"
        "hint: give one of these, or an image as sha256:DIGEST"
    )
    assert (reading(world), undoing.manual_changes) == (before, [])


@pytest.mark.parametrize("readiness", [Readiness.PENDING, Readiness.FAILED])
def test_a_revision_that_is_not_ready_is_refused(
    release: Release, world: World, readiness: Readiness
) -> None:
    older = world.platform.revisions_by_name[BASELINE]
    world.platform.revisions_by_name["shop-older"] = replace(
        older, name="shop-older", readiness=readiness, message="Image not found."
    )
    before = reading(world)
    with pytest.raises(GateClosed) as refused:
        send_back(release, to="shop-older")
    assert str(refused.value) == f"shop-older cannot serve: got {readiness.value} Image not found."
    assert reading(world) == before


def test_the_candidate_is_deleted_though_it_is_the_latest_revision(
    release: Release, world: World
) -> None:
    promoted(release)
    undoing = next_run(release)
    send_back(undoing)
    name = release.candidate.name
    with pytest.raises(CallFailed):
        world.platform.remove_revision(name, undoing.timeout)
    assert manual.remove_taken_back(undoing) == name
    proof.gone(undoing, name)
    assert world.serving == {BASELINE: 100}
    assert undoing.manual_changes == [f"rolled back to {BASELINE}", f"deleted {name}"]
    baseline = world.platform.revisions_by_name[BASELINE]
    latest = world.platform.revisions_by_name[reading(world).latest_created]
    assert latest == replace(baseline, name="shop-20261121-080300")


def test_a_candidate_that_is_not_the_latest_is_merely_deleted(
    release: Release, world: World
) -> None:
    moved(release)
    release.roll_back()
    world.platform.change_by_somebody(latest_created="shop-of-alice")
    manual.remove_taken_back(release)
    assert world.platform.calls.count("deploy") == 1
    assert sorted(world.platform.revisions_by_name) == [BASELINE]


@pytest.mark.parametrize("last", [begun, deployed, moved, promoted])
def test_a_candidate_that_users_were_not_taken_back_from_is_not_deleted(
    release: Release, world: World, last: Callable[[Release], Release]
) -> None:
    last(release)
    known = dict(world.platform.revisions_by_name)
    with pytest.raises(ReleaseError, match="no candidate of shop was taken back"):
        manual.remove_taken_back(claimed(next_run(release)))
    assert world.platform.revisions_by_name == known


def test_without_a_release_there_is_no_candidate_to_delete(release: Release) -> None:
    with pytest.raises(ReleaseError, match="no candidate of shop was taken back"):
        manual.remove_taken_back(claimed(release))


def test_every_instance_is_stopped(release: Release, world: World) -> None:
    after = manual.stop_every_instance(release, unlock=False)
    assert world.platform.stopped
    assert after == reading(world) == release.drift.last_seen
    assert release.manual_changes == ["scaled to zero"]
    release.guard.journal.is_whole()


def test_what_was_left_open_is_still_known_after_an_emergency(
    release: Release, world: World
) -> None:
    moved(release)
    serving = world.serving
    stopping = next_run(release)
    manual.stop_every_instance(stopping, unlock=False)
    assert stopping.settle(passed=True) is False
    assert world.serving == serving
    assert next_run(stopping).acquire_lock() == release.release_state


def test_a_release_under_way_is_stopped_only_if_a_person_takes_its_lock(
    release: Release, world: World
) -> None:
    stopping = next_run(release)
    moved(release)
    world.clock.sleep(timedelta(seconds=1))
    with pytest.raises(LockHeld):
        manual.stop_every_instance(stopping, unlock=False)
    assert not world.platform.stopped
    manual.stop_every_instance(stopping, unlock=True)
    assert world.platform.stopped


def test_a_service_that_refuses_is_not_said_to_be_stopped(release: Release, world: World) -> None:
    world.platform.refuses.add("scale_to_zero")
    with pytest.raises(CallFailed):
        manual.stop_every_instance(release, unlock=False)
    assert release.manual_changes == []
