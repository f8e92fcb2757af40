"""One lock over claims in memory, by a clock that the test turns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from greenrun.model.errors import CallFailed, LockHeld, LockLost
from greenrun.model.lease import Lease
from greenrun.release.coordination.lock import Lock
from tests.fakes import FakeClock, MemoryClaims, MemoryProgress
from tests.lock.contenders import EIGHT, TIME_TO_LIVE, claim, lock, owner

SECOND = timedelta(seconds=1)
LONG_AGO = EIGHT - timedelta(hours=1)


@dataclass
class BeatingClock(FakeClock):
    """While somebody sleeps by it, another's claim beats every third of its time to live."""

    claims: MemoryClaims = field(default_factory=MemoryClaims)
    beats_after: timedelta = TIME_TO_LIVE / 3

    def sleep(self, duration: timedelta) -> None:
        super().sleep(duration)
        top = self.claims.all()[0]
        if self.time - EIGHT >= self.beats_after:
            self.claims.kept[top.number] = replace(top, beat=top.beat + self.beats_after)


@dataclass
class BrokenClaims(MemoryClaims):
    """Refuses the calls that it is told to refuse; others do something before a creation."""

    refuses: set[str] = field(default_factory=set)
    refuses_listing_after_creation: bool = False
    before_creation: list[Callable[[], object]] = field(default_factory=list)

    def all(self) -> Sequence[Lease]:
        self._may("all")
        return super().all()

    def create(self, claim: Lease) -> bool:
        if self.refuses_listing_after_creation:
            self.refuses.add("all")
        meanwhile, self.before_creation = self.before_creation, []
        for act in meanwhile:
            act()
        return super().create(claim)

    def update(self, claim: Lease) -> None:
        self._may("update")
        super().update(claim)

    def remove(self, number: int) -> None:
        self._may("remove")
        super().remove(number)

    def _may(self, call: str) -> None:
        if call in self.refuses:
            raise CallFailed(f"{call} was refused")


@pytest.fixture
def claims() -> BrokenClaims:
    return BrokenClaims()


@pytest.fixture
def progress() -> MemoryProgress:
    return MemoryProgress()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(EIGHT)


@pytest.fixture
def ana(claims: BrokenClaims, clock: FakeClock) -> Iterator[Lock]:
    ana = lock("ana", claims, clock)
    yield ana
    claims.refuses.clear()
    ana.let_go()


@pytest.fixture
def bob(claims: BrokenClaims) -> Iterator[Lock]:
    """His clock is an hour and a bit ahead: to him every claim of the others looks dead."""
    bob = lock("bob", claims, FakeClock(EIGHT + timedelta(hours=1)))
    yield bob
    bob.let_go()


def test_a_service_that_nobody_claimed_is_taken_at_once(
    ana: Lock, claims: MemoryClaims, clock: FakeClock, progress: MemoryProgress
) -> None:
    assert ana.latest is None
    assert ana.take(progress) is None
    assert ana.claim
    assert [(one.number, one.held) for one in claims.all()] == [(1, True)]
    assert (clock.time, progress.lines) == (EIGHT, [])
    ana.check()


def test_a_live_claim_is_told_of_and_left_alone(
    ana: Lock, claims: MemoryClaims, progress: MemoryProgress
) -> None:
    claims.create(live := claim(7, "dora"))
    with pytest.raises(LockHeld) as refusal:
        ana.take(progress)
    assert str(refusal.value) == (
        "could not claim web: got claim 7 of dora@example.com on doras-host (process 4711), "
        "since 2026-11-21 08:00:00 UTC (last beat 2026-11-21 08:00:00 UTC), "
        "needs no other release of it\n"
        "hint: wait for that release to end, interrupt it, or end its claim with --unlock"
    )
    assert claims.all() == [live]
    assert not ana.claim


def test_what_was_let_go_is_taken_at_once_under_the_next_number(
    ana: Lock, claims: MemoryClaims, clock: FakeClock, progress: MemoryProgress
) -> None:
    claims.create(mark := claim(7, held=False, standing="promoted"))
    assert ana.take(progress) == mark
    assert [(one.number, one.held) for one in claims.all()] == [(8, True)]
    assert clock.time == EIGHT


def test_a_dead_claim_is_watched_and_then_taken_over(
    ana: Lock, claims: MemoryClaims, clock: FakeClock, progress: MemoryProgress
) -> None:
    claims.create(dead := claim(3, beat=LONG_AGO, standing="users moved"))
    assert ana.take(progress) == dead
    assert clock.time - EIGHT == TIME_TO_LIVE / 2
    assert len(progress.lines) == 45
    assert progress.lines[0] == f"{dead} looks dead; watching 45 s more for a beat of it"
    assert [one.number for one in claims.all()] == [4]


@pytest.mark.parametrize("age", [timedelta(), TIME_TO_LIVE - SECOND])
def test_a_claim_lives_for_its_own_time_to_live(
    ana: Lock, claims: MemoryClaims, progress: MemoryProgress, age: timedelta
) -> None:
    claims.create(claim(3, beat=EIGHT - age))
    with pytest.raises(LockHeld):
        ana.take(progress)
    assert progress.lines == []


@pytest.mark.parametrize("behind", [timedelta(minutes=2), timedelta(days=1)])
@pytest.mark.parametrize("late", [TIME_TO_LIVE / 3, TIME_TO_LIVE * 0.49])
def test_a_living_claim_is_not_stolen_however_wrong_the_clocks_are(
    claims: MemoryClaims, progress: MemoryProgress, behind: timedelta, late: timedelta
) -> None:
    claims.create(claim(3, beat=EIGHT - behind))
    thief = lock("bob", claims, BeatingClock(EIGHT, claims, late))
    with pytest.raises(LockHeld, match=r"claim 3 of dora"):
        thief.take(progress)
    assert [one.number for one in claims.all()] == [3]
    assert not thief.claim


def test_the_new_claim_keeps_what_was_left_open_until_it_has_something_to_say(
    ana: Lock, claims: MemoryClaims, progress: MemoryProgress
) -> None:
    claims.create(claim(3, beat=LONG_AGO, standing="users moved"))
    ana.take(progress)
    assert claims.all()[0].standing == "users moved"
    ana.write("begun")
    assert claims.all()[0].standing == "begun"


def test_letting_go_leaves_a_mark_with_the_standing_and_numbers_grow(
    claims: MemoryClaims, progress: MemoryProgress
) -> None:
    for number in (1, 2, 3):
        one = lock("ana", claims)
        one.take(progress)
        one.write(f"promoted {number}")
        one.let_go()
        assert not one.claim
        (mark,) = claims.all()
        assert (mark.number, mark.held, mark.standing) == (number, False, f"promoted {number}")


def test_a_lock_that_was_let_go_may_change_nothing(
    ana: Lock, claims: MemoryClaims, progress: MemoryProgress
) -> None:
    ana.take(progress)
    ana.let_go()
    before = claims.all()
    with pytest.raises(LockLost, match="may not change web: got no claim on it, needs one"):
        ana.check()
    with pytest.raises(LockLost):
        ana.write("users moved")
    ana.let_go()
    assert claims.all() == before


def test_a_lock_can_be_taken_again(
    ana: Lock, claims: MemoryClaims, progress: MemoryProgress
) -> None:
    ana.take(progress)
    ana.let_go()
    assert ana.take(progress).number == 1
    ana.check()
    assert claims.all()[0].number == 2


def test_a_sleeper_that_wakes_after_a_takeover_is_refused(
    ana: Lock, bob: Lock, claims: MemoryClaims, progress: MemoryProgress
) -> None:
    ana.take(progress)
    taken = ana.latest
    assert bob.take(progress) == taken
    bob.write("bob's")
    for attempt in (ana.check, lambda: ana.write("ana's")):
        with pytest.raises(LockLost, match=r"got claim 2 of bob@example.com .*, needs .* claim 1"):
            attempt()
    ana.let_go()
    assert [(one.number, one.held, one.standing) for one in claims.all()] == [(2, True, "bob's")]
    bob.check()


@pytest.mark.parametrize(
    ("wakes", "standing"),
    [(Lock.check, "begun"), (lambda lock: lock.write("users moved"), "users moved")],
)
def test_a_sleeper_that_wakes_goes_on_under_the_next_number_where_nobody_took_over(
    wakes: Callable[[Lock], None],
    standing: str,
    ana: Lock,
    claims: MemoryClaims,
    clock: FakeClock,
) -> None:
    ana.take(MemoryProgress())
    ana.write("begun")
    clock.sleep(TIME_TO_LIVE)
    wakes(ana)
    (anew,) = claims.all()
    assert ana.claim == anew
    assert (anew.number, anew.owner, anew.beat, anew.held) == (2, ana.owner, clock.time, True)
    assert anew.standing == standing


def test_a_sleeper_that_wakes_keeps_what_was_written_though_the_answer_was_lost(
    ana: Lock, claims: MemoryClaims, clock: FakeClock, progress: MemoryProgress
) -> None:
    ana.take(progress)
    claims.update(replace(claims.kept[1], standing="users moved"))
    clock.sleep(TIME_TO_LIVE)
    ana.check()
    assert claims.kept[2].standing == "users moved"


def test_a_sleeper_that_wakes_too_late_by_a_moment_is_refused(
    ana: Lock, bob: Lock, claims: BrokenClaims, clock: FakeClock, progress: MemoryProgress
) -> None:
    ana.take(progress)
    clock.sleep(TIME_TO_LIVE)
    claims.before_creation.append(lambda: bob.take(progress))
    with pytest.raises(LockLost, match=r"got claim 2 of bob@example.com .*, needs .* claim 1"):
        ana.check()
    bob.check()


def test_a_sleeper_that_wakes_gives_way_to_a_higher_number(
    ana: Lock, bob: Lock, claims: BrokenClaims, clock: FakeClock, progress: MemoryProgress
) -> None:
    def two_releases() -> None:
        bob.take(progress)
        bob.let_go()
        bob.take(progress)

    ana.take(progress)
    clock.sleep(TIME_TO_LIVE)
    claims.before_creation.append(two_releases)
    with pytest.raises(LockLost, match=r"got claim 3 of bob@example.com .*, needs .* claim 2"):
        ana.check()
    assert [one.number for one in claims.all()] == [3]
    bob.check()


def test_writing_is_a_beat(
    ana: Lock, claims: MemoryClaims, clock: FakeClock, progress: MemoryProgress
) -> None:
    ana.take(progress)
    clock.sleep(TIME_TO_LIVE - SECOND)
    ana.write("begun")
    clock.sleep(TIME_TO_LIVE - SECOND)
    ana.check()
    assert claims.all()[0].beat == EIGHT + TIME_TO_LIVE - SECOND


def test_a_write_that_failed_is_no_beat(
    ana: Lock, claims: BrokenClaims, clock: FakeClock, progress: MemoryProgress
) -> None:
    ana.take(progress)
    clock.sleep(TIME_TO_LIVE - SECOND)
    claims.refuses.add("update")
    with pytest.raises(CallFailed):
        ana.write("begun")
    assert claims.all()[0].beat == EIGHT


def test_a_platform_that_does_not_answer_leaves_it_in_doubt(
    ana: Lock, claims: BrokenClaims, progress: MemoryProgress
) -> None:
    ana.take(progress)
    claims.refuses.add("all")
    with pytest.raises(CallFailed):
        ana.check()


def test_a_claim_that_somebody_deleted_is_lost(
    ana: Lock, claims: MemoryClaims, progress: MemoryProgress
) -> None:
    ana.take(progress)
    claims.remove(1)
    with pytest.raises(LockLost, match="got no claim at all, needs the highest claim to be claim"):
        ana.check()
    ana.let_go()
    assert claims.all() == []


def test_the_same_number_of_another_run_is_not_ours(
    ana: Lock, claims: MemoryClaims, progress: MemoryProgress
) -> None:
    ana.take(progress)
    claims.kept[1] = claim(1, "dora")
    with pytest.raises(LockLost, match="got claim 1 of dora"):
        ana.check()


def test_unlock_fences_whoever_held_it_and_keeps_what_was_left_open(
    ana: Lock, bob: Lock, claims: MemoryClaims, progress: MemoryProgress
) -> None:
    ana.take(progress)
    ana.write("users moved")
    held = ana.latest
    eve = owner("eve")
    assert bob.break_open(eve) == held
    (mark,) = claims.all()
    assert (mark.number, mark.owner, mark.held, mark.standing) == (2, eve, False, "users moved")
    with pytest.raises(LockLost, match="got claim 2 of eve"):
        ana.check()
    assert bob.take(progress) == mark


def test_unlock_of_what_nobody_holds_changes_nothing(bob: Lock, claims: MemoryClaims) -> None:
    assert bob.break_open(owner("eve")) is None
    claims.create(mark := claim(4, held=False))
    assert bob.break_open(owner("eve")) is None
    assert claims.all() == [mark]


def test_whoever_was_slower_by_a_moment_is_told_to_try_again(
    ana: Lock, bob: Lock, claims: BrokenClaims, progress: MemoryProgress
) -> None:
    claims.before_creation.append(lambda: bob.take(progress))
    with pytest.raises(LockHeld, match=r"got claim 1 of bob"):
        ana.take(progress)
    bob.let_go()
    claims.before_creation += [lambda: bob.take(progress), bob.let_go]
    with pytest.raises(LockHeld, match=r"another release that has ended by now(.|\n)*try again"):
        ana.take(progress)
    assert [(one.number, one.held) for one in claims.all()] == [(2, False)]


def test_unlock_gives_way_to_somebody_quicker(
    ana: Lock, bob: Lock, claims: BrokenClaims, progress: MemoryProgress
) -> None:
    claims.create(claim(1, beat=LONG_AGO))
    claims.before_creation.append(lambda: bob.take(progress))
    with pytest.raises(LockHeld, match=r"got claim 2 of bob"):
        ana.break_open(owner("eve"))
    bob.check()


def test_a_claim_that_comes_too_late_is_withdrawn(
    ana: Lock, bob: Lock, claims: BrokenClaims, progress: MemoryProgress
) -> None:
    """Two others have come and one has gone between her look and her claim."""
    cleo = lock("cleo", claims)
    claims.before_creation += [lambda: cleo.take(progress), cleo.let_go]
    claims.before_creation += [lambda: bob.take(progress)]
    with pytest.raises(LockHeld, match=r"got claim 2 of bob"):
        ana.take(progress)
    assert [one.number for one in claims.all()] == [2]
    assert not ana.claim
    bob.check()


def test_lower_claims_that_cannot_be_removed_do_no_harm(
    ana: Lock, claims: BrokenClaims, progress: MemoryProgress
) -> None:
    for number in (1, 2):
        claims.create(claim(number, held=False))
    claims.refuses.add("remove")
    ana.take(progress)
    ana.check()
    assert [one.number for one in claims.all()] == [3, 2, 1]


def test_a_claim_that_could_not_be_confirmed_is_let_go(
    ana: Lock, claims: BrokenClaims, progress: MemoryProgress
) -> None:
    claims.refuses_listing_after_creation = True
    with pytest.raises(CallFailed, match="all was refused"):
        ana.take(progress)
    assert not ana.claim
    assert [(mark.number, mark.held) for mark in claims.kept.values()] == [(1, False)]


def test_a_claim_that_could_not_be_ended_says_so(
    ana: Lock, claims: BrokenClaims, progress: MemoryProgress
) -> None:
    ana.take(progress)
    claims.refuses.add("update")
    with pytest.raises(CallFailed, match="update was refused"):
        ana.let_go()
    assert not ana.claim


def test_an_owner_who_has_certainly_ended_is_not_watched(
    ana: Lock, claims: MemoryClaims, clock: FakeClock, progress: MemoryProgress
) -> None:
    ana.take(progress)
    left = claims.all()[0]
    next_one = Lock(
        "web", owner("bob"), claims, clock, TIME_TO_LIVE, is_gone=lambda who: who == left.owner
    )
    assert next_one.take(progress) == left
    assert clock.now() == EIGHT
    next_one.let_go()
