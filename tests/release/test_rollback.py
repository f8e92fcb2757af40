"""The way back leads to the split of before, whole, and never over somebody else's change."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from greenrun.model.errors import GateClosed, LockLost, ManualActionRequired
from greenrun.model.lease import Lease, LeaseHolder
from greenrun.model.release_state import ReleaseState
from greenrun.model.service import Service
from greenrun.model.traffic import LATEST, Target, TrafficSplit
from greenrun.release import recovery
from greenrun.release.coordination.lock import Lock
from greenrun.release.release import Release
from tests.conftest import BASELINE, World
from tests.fakes import MemoryLeases
from tests.stages import begun, deployed, moved, next_run

GCLOUD = (
    f"gcloud run services update-traffic shop --to-revisions={BASELINE}=100 "
    "--project=rehearsal --region=europe-west1"
)
SETTLING = "pytest features/07-rollback.feature --env=local --to=REVISION"
EVERYBODYS = TrafficSplit(
    (
        Target(BASELINE, 100),
        Target(BASELINE, 0, "stable"),
        Target("shop-older", 0, "candidate"),
        Target("shop-oldest", 0, "of-alice"),
    )
)


def reading(world: World) -> Service:
    assert world.platform.state is not None
    return world.platform.state


def give(world: World, split: TrafficSplit) -> None:
    """The service has this split before the release."""
    world.platform.state = replace(reading(world), wanted=split, actual=split)


def splits(world: World) -> tuple[TrafficSplit, TrafficSplit]:
    return reading(world).wanted, reading(world).actual


def test_shares_and_everybodys_revision_tags_are_exactly_as_before(
    release: Release, world: World
) -> None:
    give(world, EVERYBODYS)
    moved(release)
    assert reading(world).actual.tags["candidate"] == release.candidate.name
    assert release.rollback.restore() is True
    assert splits(world) == (EVERYBODYS, EVERYBODYS)


def test_latest_is_pinned_because_it_would_mean_the_candidate(
    release: Release, world: World
) -> None:
    give(world, TrafficSplit((Target(LATEST, 100), Target(LATEST, 0, "newest"))))
    deployed(release)
    assert release.rollback.restore() is True
    pinned = TrafficSplit((Target(BASELINE, 100), Target(BASELINE, 0, "newest")))
    assert splits(world) == (pinned, pinned)


def test_a_release_that_has_asked_for_nothing_leaves_latest_as_it_was(
    release: Release, world: World
) -> None:
    give(world, TrafficSplit.all_to(LATEST))
    begun(release)
    before, calls = reading(world), list(world.platform.calls)
    assert release.rollback.restore() is False
    assert (reading(world), world.platform.calls) == (before, calls)


def test_a_wish_that_never_took_effect_is_mended(release: Release, world: World) -> None:
    begun(release)
    release.build_image()
    world.platform.unready.add(release.image.reference)
    with pytest.raises(GateClosed):
        release.deploy()
    before = TrafficSplit.all_to(BASELINE)
    assert reading(world).wanted != before
    assert release.rollback.restore() is True
    assert splits(world) == (before, before)


def test_twice_is_once(release: Release, world: World) -> None:
    moved(release)
    assert release.rollback.restore() is True
    after, calls = reading(world), list(world.platform.calls)
    assert release.rollback.restore() is False
    assert (reading(world), world.platform.calls) == (after, calls)


def test_what_was_changed_stands_in_the_evidence(release: Release, world: World) -> None:
    moved(release)
    name = release.candidate.name
    release.rollback.restore()
    told = {name: text for name, text in world.evidence.kept.items() if "rollback" in name}
    assert told == {
        "traffic before the rollback": (
            f"90 % {BASELINE}, 10 % {name}, 0 % {name} (revision tag candidate)"
        ),
        "traffic after the rollback": f"100 % {BASELINE}",
    }


def contracted(release: Release) -> Release:
    """Its schema no longer bears the baseline."""
    moved(release)
    assert release.release_state is not None
    release.guard.write_release_state(replace(release.release_state, contracted=True))
    return release


def test_after_a_contraction_users_stay_where_they_are(release: Release, world: World) -> None:
    contracted(release)
    before, calls = reading(world), list(world.platform.calls)
    with pytest.raises(ManualActionRequired) as told:
        release.rollback.restore()
    assert (reading(world), world.platform.calls) == (before, calls)
    assert told.value.message == (
        f"shop is frozen as it is, {before.actual}: its schema was contracted, "
        f"and {BASELINE} cannot work with it any more"
    )
    assert told.value.hint == (
        f"the way is forward: mend the candidate, say who serves:\n  {SETTLING}"
    )


def test_after_a_contraction_nobody_is_told_to_send_users_back(
    release: Release, world: World
) -> None:
    contracted(release)
    world.platform.refuses.add("service")
    with pytest.raises(ManualActionRequired, match="service was refused") as told:
        release.rollback.restore()
    assert GCLOUD not in str(told.value)
    assert SETTLING in told.value.hint


def test_a_split_that_somebody_else_has_set_stays_and_they_are_named(
    release: Release, world: World
) -> None:
    moved(release)
    theirs = TrafficSplit((Target(BASELINE, 50), Target(release.candidate.name, 50)))
    world.platform.change_by_somebody(wanted=theirs, actual=theirs)
    before = reading(world)
    with pytest.raises(ManualActionRequired) as told:
        release.rollback.restore()
    assert reading(world) == before
    assert str(told.value) == (
        f"shop was given another split by alice: got {theirs}, in which users meet the candidate "
        f"{release.candidate.name}; it was left as it is\n"
        f"hint: speak with alice; then say who shall serve:\n  {SETTLING}"
    )


def test_a_split_of_somebody_else_without_the_candidate_is_said_to_be_so(
    release: Release, world: World
) -> None:
    moved(release)
    world.platform.change_by_somebody(wanted=EVERYBODYS, actual=EVERYBODYS)
    with pytest.raises(
        ManualActionRequired, match="in which no user meets the candidate shop-2026"
    ):
        release.rollback.restore()
    assert splits(world) == (EVERYBODYS, EVERYBODYS)


def test_a_split_of_somebody_else_before_there_is_a_candidate_stays_too(
    release: Release, world: World
) -> None:
    begun(release)
    world.platform.change_by_somebody(wanted=EVERYBODYS, actual=EVERYBODYS)
    with pytest.raises(
        ManualActionRequired, match=r"\(revision tag of-alice\); it was left as it is"
    ):
        release.rollback.restore()
    assert splits(world) == (EVERYBODYS, EVERYBODYS)


def test_a_change_that_leaves_the_split_alone_is_nobodys_hindrance(
    release: Release, world: World
) -> None:
    moved(release)
    world.platform.change_by_somebody(latest_created="shop-of-alice")
    assert release.rollback.restore() is True
    assert world.serving == {BASELINE: 100}


def test_whoever_holds_the_lock_by_now_decides_and_is_named(
    release: Release, world: World, owner: LeaseHolder
) -> None:
    moved(release)
    before = reading(world)
    another = replace(owner, account="bob@example.com", run="another")
    release.guard.lock.force_release(another)
    theirs = Lock("shop", another, world.leases, world.clock, release.plan.lease_duration)
    theirs.acquire()
    with pytest.raises(ManualActionRequired) as told:
        release.rollback.restore()
    assert str(told.value) == (
        f"shop could not be brought back to {BASELINE}: could not lock shop: got {theirs.latest} "
        "(last renewed 2026-11-21 08:00:00 UTC), needs no other release of it\n"
        "hint: speak with them; where nobody releases, say who shall serve:\n"
        f"  {SETTLING} --unlock"
    )
    assert reading(world) == before
    theirs.release()


def lock_deleted(release: Release, leases: MemoryLeases) -> None:
    """Somebody has tidied up."""
    assert release.guard.lock.lease
    leases.kept.clear()


def lock_garbled(release: Release, leases: MemoryLeases) -> None:
    """Somebody has edited the annotations of its job."""
    lease = release.guard.lock.lease
    assert lease
    leases.kept[lease.number] = Lease.illegible(lease.number, lease.renewed_at, "KeyError('run')")


def lock_covered(release: Release, leases: MemoryLeases) -> None:
    """Somebody has a job of that name."""
    lease = release.guard.lock.lease
    assert lease
    leases.kept[9999] = Lease.illegible(9999, lease.renewed_at, "KeyError('account')")


def lock_ended(release: Release, _: MemoryLeases) -> None:
    """Somebody has given --unlock, and gone."""
    lock = release.guard.lock
    lock.force_release(replace(lock.owner, run="another"))


LOST = [lock_deleted, lock_garbled, lock_covered, lock_ended]


@pytest.mark.parametrize("lose", LOST)
def test_a_lock_that_is_gone_or_unreadable_forbids_nobody_to_bring_users_back(
    release: Release, world: World, lose: Callable[[Release, MemoryLeases], None]
) -> None:
    moved(release)
    lose(release, world.leases)
    with pytest.raises(LockLost):
        release.raise_share(50)
    assert release.settle(passed=False) is True
    assert world.serving == {BASELINE: 100}
    top = world.leases.all()[0]
    assert (top.owner.run, top.held) == ("the-run", True)
    assert ReleaseState.from_json(top.release_state) == release.release_state
    release.guard.lock.check()
    release.guard.journal.is_whole()


@pytest.mark.parametrize("lose", LOST)
def test_the_next_run_finds_what_was_left_in_the_service_where_no_lock_tells_it(
    release: Release, world: World, lose: Callable[[Release, MemoryLeases], None]
) -> None:
    before = reading(world).actual
    moved(release)
    lose(release, world.leases)
    later = next_run(release)
    later.guard.journal.path.unlink()
    left = later.acquire_lock()
    assert left is not None
    assert (left.baseline, left.candidate) == (BASELINE, release.candidate.name)
    were_elsewhere = later.users_are_elsewhere
    recovery.recover(later, resume=False)
    assert splits(world) == (before, before)
    assert (were_elsewhere, later.users_are_elsewhere) == (True, False)
    assert later.find_baseline() == BASELINE


def test_a_schema_that_contracted_is_known_from_the_journal_where_no_lock_tells_it(
    release: Release, world: World
) -> None:
    contracted(release)
    lock_deleted(release, world.leases)
    later, before = next_run(release), reading(world)
    later.acquire_lock()
    with pytest.raises(ManualActionRequired, match="is frozen as it is"):
        recovery.recover(later, resume=False)
    assert reading(world) == before


def test_users_are_brought_back_by_whoever_was_cut_off_for_long(
    release: Release, world: World
) -> None:
    moved(release)
    world.clock.sleep(release.plan.lease_duration)
    assert release.rollback.restore()
    assert world.serving == {BASELINE: 100}


@pytest.mark.parametrize("refused", ["split_traffic", "service"])
def test_a_refusal_needs_a_person_who_is_told_the_command(
    release: Release, world: World, refused: str
) -> None:
    moved(release)
    world.platform.refuses.add(refused)
    with pytest.raises(ManualActionRequired) as told:
        release.rollback.restore()
    assert str(told.value) == (
        f"shop could not be brought back to {BASELINE}: {refused} was refused\n"
        f"hint: send every user back by hand:\n  {GCLOUD}"
    )


def test_a_service_that_is_gone_needs_a_person(release: Release, world: World) -> None:
    moved(release)
    world.platform.state = None
    with pytest.raises(ManualActionRequired, match="shop is gone"):
        release.rollback.restore()


@pytest.mark.parametrize(("answering", "who"), [(["somebody"], "somebody"), ([], "10 requests")])
def test_what_nobody_can_prove_needs_a_person(
    release: Release, world: World, answering: list[str], who: str
) -> None:
    moved(release)
    world.logs.answering = lambda: answering
    with pytest.raises(ManualActionRequired, match=who):
        release.rollback.restore()
    assert world.serving == {BASELINE: 100}


def test_a_service_that_has_lost_its_url_is_sent_back_and_told_so(
    release: Release, world: World
) -> None:
    moved(release)
    assert world.platform.state is not None
    world.platform.state = replace(world.platform.state, url="")
    with pytest.raises(ManualActionRequired) as unproven:
        release.rollback.restore()
    assert unproven.value.message == (
        "shop was sent back, and nobody could prove that it is served by shop-baseline: "
        "it has no URL to be asked at, as its default URL is disabled"
    )
    assert world.serving == {BASELINE: 100}


def test_where_nobody_was_moved_the_split_is_proof_enough(release: Release, world: World) -> None:
    deployed(release)
    world.logs.answering = lambda: ()
    assert release.rollback.restore() is True
    assert reading(world).actual.share(BASELINE) == 100
