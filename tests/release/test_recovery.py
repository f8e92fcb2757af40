"""What a killed release has left is taken back, or gone on with, and never passed over."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from greenrun.model.errors import GateClosed, LockHeld, LockLost, ManualActionRequired, ReleaseError
from greenrun.model.image import Digest
from greenrun.model.lease import LeaseHolder
from greenrun.model.plan import Plan
from greenrun.model.release_state import ReleaseState, Stage
from greenrun.model.service import Service
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release import recovery
from greenrun.release.coordination.lock import Lock
from greenrun.release.release import Release
from tests.conftest import BASELINE, World
from tests.stages import begun, deployed, moved, next_run, promoted


def reading(world: World) -> Service:
    assert world.platform.state is not None
    return world.platform.state


def stillborn(release: Release) -> Release:
    """A candidate that never got ready."""
    begun(release)
    release.build_image()
    release.push_image()
    platform = release.dependencies.platform
    platform.unready.add(release.image.reference)  # type: ignore[attr-defined]  # the fake's own
    with pytest.raises(GateClosed):
        release.deploy()
    platform.unready.clear()  # type: ignore[attr-defined]  # likewise
    return release


def killed_before_its_wish(release: Release) -> Release:
    """It has written down what it would ask for, and never asked."""
    begun(release)
    release_state = release.rollback.release_state.asking(TrafficSplit.all_to("shop-never"))
    release.guard.write_release_state(
        replace(release_state, stage=Stage.DEPLOYED, candidate="shop-never")
    )
    return release


UNFINISHED = {
    "begun": (begun, Stage.BEGUN),
    "deployed": (deployed, Stage.DEPLOYED),
    "users moved": (moved, Stage.MOVED),
    "never ready": (stillborn, Stage.DEPLOYED),
    "killed before its wish": (killed_before_its_wish, Stage.DEPLOYED),
}
ENDED = {
    "promoted": promoted,
    "restored": lambda release: moved(release).roll_back(),
    "left": lambda release: release.guard.write_release_state(
        replace(moved(release).rollback.release_state, stage=Stage.LEFT)
    ),
}


def resuming(release: Release) -> Release:
    """The next run, which has built the same image and holds the lock."""
    later = next_run(release)
    later.build_image()
    later.acquire_lock()
    return later


def left(release: Release) -> ReleaseState:
    assert release.guard.last is not None
    return release.guard.last


def test_a_service_that_was_never_released_has_nothing_left_open(
    release: Release, world: World
) -> None:
    release.acquire_lock()
    recovery.recover(release, resume=False)
    assert world.evidence.kept == {"what was left": "no release was left unfinished"}


@pytest.mark.parametrize("end", ENDED.values(), ids=ENDED)
def test_a_release_that_came_to_its_end_stays_as_it_is(
    release: Release, world: World, end: Callable[[Release], object]
) -> None:
    end(release)
    later, before = next_run(release), reading(world)
    later.acquire_lock()
    assert recovery.roll_back_unfinished(later) == "no release was left unfinished"
    assert reading(world) == before
    assert later.release_state is None


@pytest.mark.parametrize(("die", "stage"), UNFINISHED.values(), ids=UNFINISHED)
def test_an_unfinished_release_is_taken_back_and_told(
    release: Release, world: World, die: Callable[[Release], Release], stage: Stage
) -> None:
    before = reading(world).actual
    die(release)
    later = next_run(release)
    last = later.acquire_lock()
    assert last is not None
    assert last.stage is stage
    recovery.recover(later, resume=False)
    assert (reading(world).wanted, reading(world).actual) == (before, before)
    told = f"an unfinished release ({last.candidate or 'without a candidate'}, {stage.value})"
    found = [line for line in world.progress.lines if line.startswith("found")]
    assert found == [f"found {told}; rolling it back"]
    assert world.evidence.kept["what was left"] == (
        f"{told}: every user was brought back to {BASELINE}"
    )
    restored = replace(last, stage=Stage.RESTORED)
    assert later.release_state == restored
    assert next_run(later).acquire_lock() == restored


def test_what_was_taken_back_is_released_anew(release: Release, world: World) -> None:
    moved(release)
    later = next_run(release)
    later.acquire_lock()
    recovery.roll_back_unfinished(later)
    promoted(later)
    assert later.baseline == BASELINE
    assert world.serving == {later.candidate.name: 100}


def test_what_cannot_be_taken_back_stays_open_for_the_next(release: Release, world: World) -> None:
    moved(release)
    later = next_run(release)
    later.acquire_lock()
    world.platform.refuses.add("split_traffic")
    with pytest.raises(ManualActionRequired, match="split_traffic was refused"):
        recovery.roll_back_unfinished(later)
    assert next_run(later).acquire_lock() == release.release_state


def test_a_release_gone_on_with_keeps_its_candidate_and_brings_users_back(
    release: Release, world: World
) -> None:
    moved(release)
    later = resuming(release)
    recovery.recover(later, resume=True)
    name = release.candidate.name
    tagged = TrafficSplit((Target(BASELINE, 100), Target(name, 0, "candidate")))
    assert reading(world).actual == tagged
    assert world.evidence.kept["what was left"] == (
        f"an unfinished release ({name}, users moved): resuming it"
    )
    assert later.release_state == replace(
        left(later).asking(tagged), run="the-next-run", stage=Stage.MOVED
    )
    assert later.find_baseline() == BASELINE


def test_a_candidate_that_was_kept_is_not_deployed_again(release: Release, world: World) -> None:
    moved(release)
    later = resuming(release)
    recovery.resume_unfinished(later)
    assert later.deploy().name == release.candidate.name
    assert world.platform.calls.count("deploy") == 1
    later.promote()
    assert world.serving == {release.candidate.name: 100}


def test_a_candidate_that_was_kept_is_reached_by_whom_the_plan_says(
    release: Release, world: World
) -> None:
    deployed(release)
    world.platform.public = False
    later = resuming(release)
    recovery.resume_unfinished(later)
    later.deploy()
    assert world.platform.public


def test_a_release_gone_on_with_can_still_be_taken_back(release: Release, world: World) -> None:
    before = reading(world).actual
    moved(release)
    later = resuming(release)
    recovery.resume_unfinished(later)
    later.raise_share(50)
    assert later.settle(passed=False) is True
    assert reading(world).actual == before


@pytest.mark.parametrize("die", [stillborn, killed_before_its_wish, begun])
def test_without_a_ready_candidate_another_one_is_made(
    release: Release, world: World, die: Callable[[Release], Release]
) -> None:
    before = reading(world).actual
    die(release)
    later = resuming(release)
    later.push_image()
    recovery.resume_unfinished(later)
    assert not later.deployed
    assert (reading(world).wanted, reading(world).actual) == (before, before)
    assert later.find_baseline() == BASELINE
    assert later.deploy().name == "shop-20261121-080300"
    assert later.promote() == {"shop-20261121-080300"}


def test_another_image_is_not_gone_on_with(release: Release, world: World) -> None:
    moved(release)
    later, before = resuming(release), reading(world)
    other = Digest("sha256:" + "c" * 64)
    manifest = Digest(left(later).image.partition("@")[2])
    world.registry.ids[manifest] = other
    with pytest.raises(ReleaseError) as refused:
        recovery.resume_unfinished(later)
    name = release.candidate.name
    assert str(refused.value) == (
        f"could not resume {name}: it runs the image {other}, "
        f"this tree makes {later.build.image.digest}\n"
        f"hint: check out what {name} was made of, or leave out --resume"
    )
    assert reading(world) == before


def test_without_an_unfinished_release_there_is_nothing_to_go_on_with(release: Release) -> None:
    release.acquire_lock()
    with pytest.raises(ReleaseError, match="no release was left unfinished") as refused:
        recovery.recover(release, resume=True)
    assert refused.value.hint == "leave out --resume"


def test_a_split_of_somebody_else_is_not_gone_on_with(release: Release, world: World) -> None:
    moved(release)
    world.platform.change_by_somebody(
        wanted=TrafficSplit.all_to("theirs"), actual=TrafficSplit.all_to("theirs")
    )
    later, before = resuming(release), reading(world)
    with pytest.raises(ManualActionRequired, match="was given another split by alice"):
        recovery.resume_unfinished(later)
    assert reading(world) == before


def test_users_are_not_brought_back_onto_a_contracted_schema(
    release: Release, world: World
) -> None:
    moved(release)
    release.guard.write_release_state(replace(release.rollback.release_state, contracted=True))
    later, before = resuming(release), reading(world)
    with pytest.raises(ManualActionRequired, match="is frozen as it is"):
        recovery.resume_unfinished(later)
    assert reading(world) == before


def test_a_lock_is_taken_out_of_anothers_hands_only_if_a_person_wants_it(
    release: Release, world: World, plan: Plan, owner: LeaseHolder
) -> None:
    theirs = Lock(
        "shop", replace(owner, run="theirs"), world.leases, world.clock, plan.lease_duration
    )
    theirs.acquire(world.progress.report)
    held = theirs.latest
    with pytest.raises(LockHeld):
        recovery.acquire_lock(release, unlock=False)
    recovery.acquire_lock(release, unlock=True)
    release.guard.lock.check()
    with pytest.raises(LockLost):
        theirs.check()
    assert world.progress.lines[-1] == f"ended {held}"
    assert [(entry.action, entry.subject) for entry in release.guard.journal.entries()] == [
        ("unlock", str(held)),
        ("lease", str(release.guard.lock.latest)),
    ]


def test_unlocking_what_nobody_holds_is_a_lease_like_any_other(release: Release) -> None:
    recovery.acquire_lock(release, unlock=True)
    assert [entry.action for entry in release.guard.journal.entries()] == ["lease"]
