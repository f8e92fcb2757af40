"""Nothing is changed without the lock, and where a release stands is known to others first."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.model.errors import CallFailed, LockHeld, LockLost, ReleaseError
from greenrun.model.lease import LeaseHolder
from greenrun.model.release_state import ReleaseState, Stage
from greenrun.model.traffic import TrafficSplit
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from tests.conftest import World

STANDING = ReleaseState("the-run", "shop-a", TrafficSplit.all_to("shop-a"), stage=Stage.MOVED)


def change(guard: ChangeGuard, done: list[str]) -> None:
    with guard.change("deploy", "shop-b", image="x"):
        done.append("deployed")


def told(journal: Journal) -> list[tuple[str, str, str]]:
    return [(entry.action, entry.subject, entry.state) for entry in journal.entries()]


def left_by_another(world: World, lock: Lock, release_state: str) -> None:
    """A release before this one has ended so."""
    lock.take(world.progress)
    lock.write(release_state)
    lock.release()


def test_nothing_is_changed_before_the_lock_was_taken(guard: ChangeGuard, journal: Journal) -> None:
    done: list[str] = []
    with pytest.raises(LockLost, match="may not change shop: got no claim on it, needs one"):
        change(guard, done)
    assert (done, journal.entries()) == ([], ())


def test_nothing_is_changed_after_another_has_taken_over(
    guard: ChangeGuard, journal: Journal, world: World, owner: LeaseHolder
) -> None:
    guard.acquire_lock(world.progress)
    guard.lock.break_open(replace(owner, run="another"))
    before, done = journal.entries(), list[str]()
    with pytest.raises(LockLost, match="may not change shop any more"):
        change(guard, done)
    assert (done, journal.entries()) == ([], before)


def test_a_change_under_the_lock_stands_in_the_journal(
    guard: ChangeGuard, journal: Journal, world: World
) -> None:
    guard.acquire_lock(world.progress)
    done: list[str] = []
    change(guard, done)
    assert done == ["deployed"]
    assert told(journal) == [
        ("claim", str(guard.lock.latest), "noted"),
        ("deploy", "shop-b", "begun"),
        ("deploy", "shop-b", "done"),
    ]


def test_a_claim_that_lapsed_stands_in_the_journal_under_its_next_number(
    guard: ChangeGuard, journal: Journal, world: World
) -> None:
    guard.acquire_lock(world.progress)
    assert guard.lock.lease
    world.clock.sleep(guard.lock.lease.time_to_live)
    guard.write_release_state(STANDING)
    assert [entry.subject[:8] for entry in journal.entries() if entry.action == "claim"] == [
        "claim 1 ",
        "claim 2 ",
    ]


def test_a_standing_is_written_where_others_see_it_and_on_this_disk(
    guard: ChangeGuard, journal: Journal, world: World
) -> None:
    guard.acquire_lock(world.progress)
    guard.write_release_state(STANDING)
    assert guard.release_state == STANDING
    (lease,) = world.leases.all()
    assert ReleaseState.from_json(lease.release_state) == STANDING
    assert journal.entries()[-1].facts == {"release_state": STANDING.as_json()}


def test_a_standing_that_others_cannot_see_is_told_and_still_ours(
    guard: ChangeGuard, world: World
) -> None:
    guard.acquire_lock(world.progress)
    world.leases.refuses.add("update")
    with pytest.raises(CallFailed, match="update was refused"):
        guard.write_release_state(STANDING)
    assert guard.release_state == STANDING


def test_a_first_release_finds_no_earlier_one(guard: ChangeGuard, world: World) -> None:
    guard.acquire_lock(world.progress)
    assert guard.last is None
    assert guard.release_state is None


def test_what_the_release_before_has_left_is_found(
    guard: ChangeGuard, world: World, lock: Lock
) -> None:
    left_by_another(world, lock, STANDING.as_json())
    guard.acquire_lock(world.progress)
    assert guard.last == STANDING
    assert guard.release_state is None


def test_a_release_that_died_before_its_baseline_has_left_nothing(
    guard: ChangeGuard, world: World, lock: Lock
) -> None:
    left_by_another(world, lock, "")
    guard.acquire_lock(world.progress)
    assert guard.last is None


def test_a_standing_that_cannot_be_read_is_refused_with_a_hint_and_the_lock_let_go(
    guard: ChangeGuard, world: World, lock: Lock
) -> None:
    left_by_another(world, lock, '{"of": "the future"}')
    with pytest.raises(ReleaseError, match="could not read what claim 1 of somebody@") as refused:
        guard.acquire_lock(world.progress)
    assert refused.value.hint.startswith("put the service in order by hand, then delete")
    assert not lock.lease
    assert [lease.held for lease in world.leases.all()] == [False]
    assert guard.last is None


def test_a_lock_that_another_holds_is_not_taken(
    guard: ChangeGuard, world: World, journal: Journal, lock: Lock, owner: LeaseHolder
) -> None:
    theirs = Lock(
        "shop", replace(owner, run="another"), world.leases, world.clock, timedelta(seconds=90)
    )
    theirs.take(world.progress)
    with pytest.raises(LockHeld):
        guard.acquire_lock(world.progress)
    assert (lock.lease, journal.entries()) == (None, ())
    theirs.release()
