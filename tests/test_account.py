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


def change(account: ChangeGuard, done: list[str]) -> None:
    with account.change("deploy", "shop-b", image="x"):
        done.append("deployed")


def told(journal: Journal) -> list[tuple[str, str, str]]:
    return [(entry.action, entry.subject, entry.state) for entry in journal.entries()]


def left_by_another(world: World, lock: Lock, standing: str) -> None:
    """A release before this one has ended so."""
    lock.take(world.progress)
    lock.write(standing)
    lock.let_go()


def test_nothing_is_changed_before_the_lock_was_taken(
    account: ChangeGuard, journal: Journal
) -> None:
    done: list[str] = []
    with pytest.raises(LockLost, match="may not change shop: got no claim on it, needs one"):
        change(account, done)
    assert (done, journal.entries()) == ([], ())


def test_nothing_is_changed_after_another_has_taken_over(
    account: ChangeGuard, journal: Journal, world: World, owner: LeaseHolder
) -> None:
    account.claim(world.progress)
    account.lock.break_open(replace(owner, run="another"))
    before, done = journal.entries(), list[str]()
    with pytest.raises(LockLost, match="may not change shop any more"):
        change(account, done)
    assert (done, journal.entries()) == ([], before)


def test_a_change_under_the_lock_stands_in_the_journal(
    account: ChangeGuard, journal: Journal, world: World
) -> None:
    account.claim(world.progress)
    done: list[str] = []
    change(account, done)
    assert done == ["deployed"]
    assert told(journal) == [
        ("claim", str(account.lock.latest), "noted"),
        ("deploy", "shop-b", "begun"),
        ("deploy", "shop-b", "done"),
    ]


def test_a_claim_that_lapsed_stands_in_the_journal_under_its_next_number(
    account: ChangeGuard, journal: Journal, world: World
) -> None:
    account.claim(world.progress)
    world.clock.sleep(account.lock.claim.time_to_live)
    account.stand(STANDING)
    assert [entry.subject[:8] for entry in journal.entries() if entry.action == "claim"] == [
        "claim 1 ",
        "claim 2 ",
    ]


def test_a_standing_is_written_where_others_see_it_and_on_this_disk(
    account: ChangeGuard, journal: Journal, world: World
) -> None:
    account.claim(world.progress)
    account.stand(STANDING)
    assert account.standing == STANDING
    (claim,) = world.claims.all()
    assert ReleaseState.from_json(claim.standing) == STANDING
    assert journal.entries()[-1].facts == {"stands": STANDING.as_json()}


def test_a_standing_that_others_cannot_see_is_told_and_still_ours(
    account: ChangeGuard, world: World
) -> None:
    account.claim(world.progress)
    world.claims.refuses.add("update")
    with pytest.raises(CallFailed, match="update was refused"):
        account.stand(STANDING)
    assert account.standing == STANDING


def test_a_first_release_finds_no_earlier_one(account: ChangeGuard, world: World) -> None:
    account.claim(world.progress)
    assert account.last is None
    assert account.standing is None


def test_what_the_release_before_has_left_is_found(
    account: ChangeGuard, world: World, lock: Lock
) -> None:
    left_by_another(world, lock, STANDING.as_json())
    account.claim(world.progress)
    assert account.last == STANDING
    assert account.standing is None


def test_a_release_that_died_before_its_baseline_has_left_nothing(
    account: ChangeGuard, world: World, lock: Lock
) -> None:
    left_by_another(world, lock, "")
    account.claim(world.progress)
    assert account.last is None


def test_a_standing_that_cannot_be_read_is_refused_with_a_hint_and_the_lock_let_go(
    account: ChangeGuard, world: World, lock: Lock
) -> None:
    left_by_another(world, lock, '{"of": "the future"}')
    with pytest.raises(ReleaseError, match="could not read what claim 1 of somebody@") as refused:
        account.claim(world.progress)
    assert refused.value.hint.startswith("put the service in order by hand, then delete")
    assert not lock.claim
    assert [claim.held for claim in world.claims.all()] == [False]
    assert account.last is None


def test_a_lock_that_another_holds_is_not_taken(
    account: ChangeGuard, world: World, journal: Journal, lock: Lock, owner: LeaseHolder
) -> None:
    theirs = Lock(
        "shop", replace(owner, run="another"), world.claims, world.clock, timedelta(seconds=90)
    )
    theirs.take(world.progress)
    with pytest.raises(LockHeld):
        account.claim(world.progress)
    assert (lock.claim, journal.entries()) == (None, ())
    theirs.let_go()
