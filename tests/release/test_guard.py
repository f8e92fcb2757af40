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

STATE = ReleaseState("the-run", "shop-a", TrafficSplit.all_to("shop-a"), stage=Stage.MOVED)


def change(guard: ChangeGuard, done: list[str]) -> None:
    with guard.change("deploy", "shop-b", image="x"):
        done.append("deployed")


def told(journal: Journal) -> list[tuple[str, str, str]]:
    return [(entry.action, entry.subject, entry.state) for entry in journal.entries()]


def left_by_another(world: World, lock: Lock, release_state: str) -> None:
    """A release before this one has ended so."""
    lock.acquire(world.progress.report)
    lock.write(release_state)
    lock.release()


def test_nothing_is_changed_before_the_lock_was_taken(guard: ChangeGuard, journal: Journal) -> None:
    done: list[str] = []
    with pytest.raises(
        LockLost, match="cannot change shop: this run does not hold its release lock"
    ):
        change(guard, done)
    assert (done, journal.entries()) == ([], ())


def test_nothing_is_changed_after_another_has_taken_over(
    guard: ChangeGuard, journal: Journal, owner: LeaseHolder
) -> None:
    guard.acquire_lock()
    guard.lock.force_release(replace(owner, run="another"))
    before, done = journal.entries(), list[str]()
    with pytest.raises(LockLost, match="cannot change shop any more"):
        change(guard, done)
    assert (done, journal.entries()) == ([], before)


def test_a_change_under_the_lock_stands_in_the_journal(
    guard: ChangeGuard, journal: Journal
) -> None:
    guard.acquire_lock()
    done: list[str] = []
    change(guard, done)
    assert done == ["deployed"]
    assert told(journal) == [
        ("lease", str(guard.lock.latest), "noted"),
        ("deploy", "shop-b", "begun"),
        ("deploy", "shop-b", "done"),
    ]


def test_a_lease_that_lapsed_stands_in_the_journal_under_its_next_number(
    guard: ChangeGuard, journal: Journal, world: World
) -> None:
    guard.acquire_lock()
    assert guard.lock.lease
    world.clock.sleep(guard.lock.lease.time_to_live)
    guard.write_release_state(STATE)
    assert [entry.subject[:8] for entry in journal.entries() if entry.action == "lease"] == [
        "lease 1 ",
        "lease 2 ",
    ]


def test_a_release_state_is_written_where_others_see_it_and_on_this_disk(
    guard: ChangeGuard, journal: Journal, world: World
) -> None:
    guard.acquire_lock()
    guard.write_release_state(STATE)
    assert guard.release_state == STATE
    (lease,) = world.leases.all()
    assert ReleaseState.from_json(lease.release_state) == STATE
    assert journal.entries()[-1].facts == {"release_state": STATE.as_json()}


def test_a_release_state_that_others_cannot_see_is_told_and_still_ours(
    guard: ChangeGuard, world: World
) -> None:
    guard.acquire_lock()
    world.leases.refuses.add("update")
    with pytest.raises(CallFailed, match="update was refused"):
        guard.write_release_state(STATE)
    assert guard.release_state == STATE


def test_a_first_release_finds_no_earlier_one(guard: ChangeGuard) -> None:
    guard.acquire_lock()
    assert guard.last is None
    assert guard.release_state is None


def test_what_the_release_before_has_left_is_found(
    guard: ChangeGuard, world: World, lock: Lock
) -> None:
    left_by_another(world, lock, STATE.as_json())
    guard.acquire_lock()
    assert guard.last == STATE
    assert guard.release_state is None


def test_a_release_that_died_before_its_baseline_has_left_nothing(
    guard: ChangeGuard, world: World, lock: Lock
) -> None:
    left_by_another(world, lock, "")
    guard.acquire_lock()
    assert guard.last is None


def test_a_release_state_that_cannot_be_read_is_told_and_the_lock_is_ours(
    guard: ChangeGuard, world: World, lock: Lock
) -> None:
    left_by_another(world, lock, '{"of": "the future"}')
    guard.acquire_lock()
    assert guard.last is None
    assert [lease.held for lease in world.leases.all()] == [True]
    (told,) = world.progress.lines
    assert told.startswith("could not read what lease 1 of somebody@example.com")
    assert ", going on without: " in told
    assert "state.of: got " in told


def test_what_nobody_could_read_again_is_not_written(guard: ChangeGuard, world: World) -> None:
    guard.acquire_lock()
    before = world.leases.all()
    with pytest.raises(
        ReleaseError, match=r"where the release stands: state\.migrations\.0: got 7"
    ):
        guard.write_release_state(replace(STATE, migrations=(7,)))  # type: ignore[arg-type]  # no text
    assert world.leases.all() == before


def test_a_lock_that_another_holds_is_not_taken(
    guard: ChangeGuard, world: World, journal: Journal, lock: Lock, owner: LeaseHolder
) -> None:
    theirs = Lock(
        "shop", replace(owner, run="another"), world.leases, world.clock, timedelta(seconds=90)
    )
    theirs.acquire(world.progress.report)
    with pytest.raises(LockHeld):
        guard.acquire_lock()
    assert (lock.lease, journal.entries()) == (None, ())
    theirs.release()
