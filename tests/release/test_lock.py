"""One lock over leases in memory, by a clock that the test turns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from greenrun.model.errors import CallFailed, LockHeld, LockLost
from greenrun.model.lease import Lease
from greenrun.release.coordination.lock import Lock
from tests.fakes import FakeClock, MemoryLeases, MemoryProgress
from tests.release.lock.contenders import EIGHT, TIME_TO_LIVE, lease, lock, owner

SECOND = timedelta(seconds=1)
LONG_AGO = EIGHT - timedelta(hours=1)


@dataclass
class BeatingClock(FakeClock):
    """While somebody sleeps by it, another's lease beats every third of its time to live."""

    leases: MemoryLeases = field(default_factory=MemoryLeases)
    beats_after: timedelta = TIME_TO_LIVE / 3

    def sleep(self, duration: timedelta) -> None:
        super().sleep(duration)
        top = self.leases.all()[0]
        if self.time - EIGHT >= self.beats_after:
            self.leases.kept[top.number] = replace(
                top, renewed_at=top.renewed_at + self.beats_after
            )


@dataclass
class BrokenLeases(MemoryLeases):
    """Refuses the calls that it is told to refuse; others do something before a creation."""

    refuses: set[str] = field(default_factory=set)
    refuses_listing_after_creation: bool = False
    before_creation: list[Callable[[], object]] = field(default_factory=list)

    def all(self) -> Sequence[Lease]:
        self._may("all")
        return super().all()

    def create(self, lease: Lease) -> bool:
        if self.refuses_listing_after_creation:
            self.refuses.add("all")
        meanwhile, self.before_creation = self.before_creation, []
        for act in meanwhile:
            act()
        return super().create(lease)

    def update(self, lease: Lease) -> None:
        self._may("update")
        super().update(lease)

    def remove(self, number: int) -> None:
        self._may("remove")
        super().remove(number)

    def _may(self, call: str) -> None:
        if call in self.refuses:
            raise CallFailed(f"{call} was refused")


@pytest.fixture
def leases() -> BrokenLeases:
    return BrokenLeases()


@pytest.fixture
def progress() -> MemoryProgress:
    return MemoryProgress()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(EIGHT)


@pytest.fixture
def ana(leases: BrokenLeases, clock: FakeClock) -> Iterator[Lock]:
    ana = lock("ana", leases, clock)
    yield ana
    leases.refuses.clear()
    ana.release()


@pytest.fixture
def bob(leases: BrokenLeases) -> Iterator[Lock]:
    """His clock is an hour and a bit ahead: to him every lease of the others looks dead."""
    bob = lock("bob", leases, FakeClock(EIGHT + timedelta(hours=1)))
    yield bob
    bob.release()


def test_a_service_that_nobody_claimed_is_taken_at_once(
    ana: Lock, leases: MemoryLeases, clock: FakeClock, progress: MemoryProgress
) -> None:
    assert ana.latest is None
    assert ana.acquire(progress.report) is None
    assert ana.lease
    assert [(one.number, one.held) for one in leases.all()] == [(1, True)]
    assert (clock.time, progress.lines) == (EIGHT, [])
    ana.check()


def test_a_live_lease_is_told_of_and_left_alone(
    ana: Lock, leases: MemoryLeases, progress: MemoryProgress
) -> None:
    leases.create(live := lease(7, "dora"))
    with pytest.raises(LockHeld) as refusal:
        ana.acquire(progress.report)
    assert str(refusal.value) == (
        "could not lock web: got lease 7 of dora@example.com on doras-host (process 4711), "
        "since 2026-11-21 08:00:00 UTC (last renewed 2026-11-21 08:00:00 UTC), "
        "needs no other release of it\n"
        "hint: wait for that release to end, interrupt it, or end its lease with --unlock"
    )
    assert leases.all() == [live]
    assert not ana.lease


def test_what_was_let_go_is_taken_at_once_under_the_next_number(
    ana: Lock, leases: MemoryLeases, clock: FakeClock, progress: MemoryProgress
) -> None:
    leases.create(mark := lease(7, held=False, release_state="promoted"))
    assert ana.acquire(progress.report) == mark
    assert [(one.number, one.held) for one in leases.all()] == [(8, True)]
    assert clock.time == EIGHT


def test_a_dead_lease_is_watched_and_then_taken_over(
    ana: Lock, leases: MemoryLeases, clock: FakeClock, progress: MemoryProgress
) -> None:
    leases.create(dead := lease(3, renewed_at=LONG_AGO, release_state="users moved"))
    assert ana.acquire(progress.report) == dead
    assert clock.time - EIGHT == TIME_TO_LIVE / 2
    assert len(progress.lines) == 45
    assert progress.lines[0] == f"watching whether {dead} is renewed, 45 s more"
    assert [one.number for one in leases.all()] == [4]


@pytest.mark.parametrize("age", [timedelta(), TIME_TO_LIVE - SECOND])
def test_a_lease_lives_for_its_own_time_to_live(
    ana: Lock, leases: MemoryLeases, progress: MemoryProgress, age: timedelta
) -> None:
    leases.create(lease(3, renewed_at=EIGHT - age))
    with pytest.raises(LockHeld):
        ana.acquire(progress.report)
    assert progress.lines == []


@pytest.mark.parametrize("behind", [timedelta(minutes=2), timedelta(days=1)])
@pytest.mark.parametrize("late", [TIME_TO_LIVE / 3, TIME_TO_LIVE * 0.49])
def test_a_living_lease_is_not_stolen_however_wrong_the_clocks_are(
    leases: MemoryLeases, progress: MemoryProgress, behind: timedelta, late: timedelta
) -> None:
    leases.create(lease(3, renewed_at=EIGHT - behind))
    thief = lock("bob", leases, BeatingClock(EIGHT, leases=leases, beats_after=late))
    with pytest.raises(LockHeld, match=r"lease 3 of dora"):
        thief.acquire(progress.report)
    assert [one.number for one in leases.all()] == [3]
    assert not thief.lease


def test_the_new_lease_keeps_what_was_left_open_until_it_has_something_to_say(
    ana: Lock, leases: MemoryLeases, progress: MemoryProgress
) -> None:
    leases.create(lease(3, renewed_at=LONG_AGO, release_state="users moved"))
    ana.acquire(progress.report)
    assert leases.all()[0].release_state == "users moved"
    ana.write("begun")
    assert leases.all()[0].release_state == "begun"


def test_letting_go_leaves_a_mark_with_the_release_state_and_numbers_grow(
    leases: MemoryLeases, progress: MemoryProgress
) -> None:
    for number in (1, 2, 3):
        one = lock("ana", leases)
        one.acquire(progress.report)
        one.write(f"promoted {number}")
        one.release()
        assert not one.lease
        (mark,) = leases.all()
        assert (mark.number, mark.held, mark.release_state) == (number, False, f"promoted {number}")


def test_a_lock_that_was_let_go_may_change_nothing(
    ana: Lock, leases: MemoryLeases, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    ana.release()
    before = leases.all()
    with pytest.raises(
        LockLost, match="cannot change web: this run does not hold its release lock"
    ):
        ana.check()
    with pytest.raises(LockLost):
        ana.write("users moved")
    ana.release()
    assert leases.all() == before


def test_a_lock_can_be_taken_again(
    ana: Lock, leases: MemoryLeases, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    ana.release()
    earlier = ana.acquire(progress.report)
    assert earlier
    assert earlier.number == 1
    ana.check()
    assert leases.all()[0].number == 2


def test_a_sleeper_that_wakes_after_a_takeover_is_refused(
    ana: Lock, bob: Lock, leases: MemoryLeases, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    taken = ana.latest
    assert bob.acquire(progress.report) == taken
    bob.write("bob's")
    for attempt in (ana.check, lambda: ana.write("ana's")):
        with pytest.raises(LockLost, match=r"got lease 2 of bob@example.com .*, needs .* lease 1"):
            attempt()
    ana.release()
    assert [(one.number, one.held, one.release_state) for one in leases.all()] == [
        (2, True, "bob's")
    ]
    bob.check()


@pytest.mark.parametrize(
    ("wakes", "release_state"),
    [(Lock.check, "begun"), (lambda lock: lock.write("users moved"), "users moved")],
)
def test_a_sleeper_that_wakes_goes_on_under_the_next_number_where_nobody_took_over(
    wakes: Callable[[Lock], None],
    release_state: str,
    ana: Lock,
    leases: MemoryLeases,
    clock: FakeClock,
) -> None:
    ana.acquire()
    ana.write("begun")
    clock.sleep(TIME_TO_LIVE)
    wakes(ana)
    (anew,) = leases.all()
    assert ana.lease == anew
    assert (anew.number, anew.owner, anew.renewed_at, anew.held) == (2, ana.owner, clock.time, True)
    assert anew.release_state == release_state


def test_a_sleeper_that_wakes_keeps_what_was_written_though_the_answer_was_lost(
    ana: Lock, leases: MemoryLeases, clock: FakeClock, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    leases.update(replace(leases.kept[1], release_state="users moved"))
    clock.sleep(TIME_TO_LIVE)
    ana.check()
    assert leases.kept[2].release_state == "users moved"


def test_a_sleeper_that_wakes_too_late_by_a_moment_is_refused(
    ana: Lock, bob: Lock, leases: BrokenLeases, clock: FakeClock, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    clock.sleep(TIME_TO_LIVE)
    leases.before_creation.append(lambda: bob.acquire(progress.report))
    with pytest.raises(LockLost, match=r"got lease 2 of bob@example.com .*, needs .* lease 1"):
        ana.check()
    bob.check()


def test_a_sleeper_that_wakes_gives_way_to_a_higher_number(
    ana: Lock, bob: Lock, leases: BrokenLeases, clock: FakeClock, progress: MemoryProgress
) -> None:
    def two_releases() -> None:
        bob.acquire(progress.report)
        bob.release()
        bob.acquire(progress.report)

    ana.acquire(progress.report)
    clock.sleep(TIME_TO_LIVE)
    leases.before_creation.append(two_releases)
    with pytest.raises(LockLost, match=r"got lease 3 of bob@example.com .*, needs .* lease 2"):
        ana.check()
    assert [one.number for one in leases.all()] == [3]
    bob.check()


def test_writing_is_a_beat(
    ana: Lock, leases: MemoryLeases, clock: FakeClock, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    clock.sleep(TIME_TO_LIVE - SECOND)
    ana.write("begun")
    clock.sleep(TIME_TO_LIVE - SECOND)
    ana.check()
    assert leases.all()[0].renewed_at == EIGHT + TIME_TO_LIVE - SECOND


def test_a_write_that_failed_is_no_beat(
    ana: Lock, leases: BrokenLeases, clock: FakeClock, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    clock.sleep(TIME_TO_LIVE - SECOND)
    leases.refuses.add("update")
    with pytest.raises(CallFailed):
        ana.write("begun")
    assert leases.all()[0].renewed_at == EIGHT


def test_a_platform_that_does_not_answer_leaves_it_in_doubt(
    ana: Lock, leases: BrokenLeases, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    leases.refuses.add("all")
    with pytest.raises(CallFailed):
        ana.check()


def test_a_lease_that_somebody_deleted_is_lost(
    ana: Lock, leases: MemoryLeases, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    leases.remove(1)
    with pytest.raises(LockLost, match="got no lease at all, needs the highest lease to be lease"):
        ana.check()
    ana.release()
    assert leases.all() == []


def test_the_same_number_of_another_run_is_not_ours(
    ana: Lock, leases: MemoryLeases, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    leases.kept[1] = lease(1, "dora")
    with pytest.raises(LockLost, match="got lease 1 of dora"):
        ana.check()


def test_unlock_fences_whoever_held_it_and_keeps_what_was_left_open(
    ana: Lock, bob: Lock, leases: MemoryLeases, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    ana.write("users moved")
    held = ana.latest
    eve = owner("eve")
    assert bob.force_release(eve) == held
    (mark,) = leases.all()
    assert (mark.number, mark.owner, mark.held, mark.release_state) == (
        2,
        eve,
        False,
        "users moved",
    )
    with pytest.raises(LockLost, match="got lease 2 of eve"):
        ana.check()
    assert bob.acquire(progress.report) == mark


def test_unlock_of_what_nobody_holds_changes_nothing(bob: Lock, leases: MemoryLeases) -> None:
    assert bob.force_release(owner("eve")) is None
    leases.create(mark := lease(4, held=False))
    assert bob.force_release(owner("eve")) is None
    assert leases.all() == [mark]


def test_whoever_was_slower_by_a_moment_is_told_to_try_again(
    ana: Lock, bob: Lock, leases: BrokenLeases, progress: MemoryProgress
) -> None:
    leases.before_creation.append(lambda: bob.acquire(progress.report))
    with pytest.raises(LockHeld, match=r"got lease 1 of bob"):
        ana.acquire(progress.report)
    bob.release()
    leases.before_creation += [lambda: bob.acquire(progress.report), bob.release]
    with pytest.raises(LockHeld, match=r"another release that has ended by now(.|\n)*try again"):
        ana.acquire(progress.report)
    assert [(one.number, one.held) for one in leases.all()] == [(2, False)]


def test_unlock_gives_way_to_somebody_quicker(
    ana: Lock, bob: Lock, leases: BrokenLeases, progress: MemoryProgress
) -> None:
    leases.create(lease(1, renewed_at=LONG_AGO))
    leases.before_creation.append(lambda: bob.acquire(progress.report))
    with pytest.raises(LockHeld, match=r"got lease 2 of bob"):
        ana.force_release(owner("eve"))
    bob.check()


def test_a_lease_that_comes_too_late_is_withdrawn(
    ana: Lock, bob: Lock, leases: BrokenLeases, progress: MemoryProgress
) -> None:
    """Two others have come and one has gone between her look and her lease."""
    cleo = lock("cleo", leases)
    leases.before_creation += [lambda: cleo.acquire(progress.report), cleo.release]
    leases.before_creation += [lambda: bob.acquire(progress.report)]
    with pytest.raises(LockHeld, match=r"got lease 2 of bob"):
        ana.acquire(progress.report)
    assert [one.number for one in leases.all()] == [2]
    assert not ana.lease
    bob.check()


def test_lower_leases_that_cannot_be_removed_do_no_harm(
    ana: Lock, leases: BrokenLeases, progress: MemoryProgress
) -> None:
    for number in (1, 2):
        leases.create(lease(number, held=False))
    leases.refuses.add("remove")
    ana.acquire(progress.report)
    ana.check()
    assert [one.number for one in leases.all()] == [3, 2, 1]


def test_a_lease_that_could_not_be_confirmed_is_let_go(
    ana: Lock, leases: BrokenLeases, progress: MemoryProgress
) -> None:
    leases.refuses_listing_after_creation = True
    with pytest.raises(CallFailed, match="all was refused"):
        ana.acquire(progress.report)
    assert not ana.lease
    assert [(mark.number, mark.held) for mark in leases.kept.values()] == [(1, False)]


def test_a_lease_that_could_not_be_ended_says_so(
    ana: Lock, leases: BrokenLeases, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    leases.refuses.add("update")
    with pytest.raises(CallFailed, match="update was refused"):
        ana.release()
    assert not ana.lease


def test_an_owner_who_has_certainly_ended_is_not_watched(
    ana: Lock, leases: MemoryLeases, clock: FakeClock, progress: MemoryProgress
) -> None:
    ana.acquire(progress.report)
    left = leases.all()[0]
    next_one = Lock(
        "web", owner("bob"), leases, clock, TIME_TO_LIVE, is_gone=lambda who: who == left.owner
    )
    assert next_one.acquire(progress.report) == left
    assert clock.now() == EIGHT
    next_one.release()


STEPS = [-timedelta(hours=1), timedelta(hours=1)]


@pytest.mark.parametrize("step", STEPS)
def test_a_wall_clock_that_steps_says_nothing_of_ones_own_lease(
    ana: Lock, leases: MemoryLeases, clock: FakeClock, step: timedelta
) -> None:
    ana.acquire()
    clock.stepped = step
    ana.check()
    assert [one.number for one in leases.all()] == [1]
    clock.sleep(TIME_TO_LIVE)
    ana.check()
    assert [one.number for one in leases.all()] == [2]


@pytest.mark.parametrize("step", STEPS)
def test_a_wall_clock_that_steps_keeps_nobody_from_a_lease_that_is_not_renewed(
    ana: Lock, leases: MemoryLeases, clock: FakeClock, step: timedelta
) -> None:
    leases.create(dead := lease(3, renewed_at=EIGHT - TIME_TO_LIVE * 2))
    clock.stepped = step
    assert ana.acquire() == dead
    assert clock.time - EIGHT <= TIME_TO_LIVE * 3 / 2


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("late", [TIME_TO_LIVE / 3, TIME_TO_LIVE * 0.49])
def test_a_wall_clock_that_steps_steals_no_lease_that_is_renewed(
    leases: MemoryLeases, step: timedelta, late: timedelta
) -> None:
    leases.create(lease(3))
    thief = lock("bob", leases, BeatingClock(EIGHT, step, leases=leases, beats_after=late))
    with pytest.raises(LockHeld, match=r"lease 3 of dora"):
        thief.acquire()
    assert [one.number for one in leases.all()] == [3]


@pytest.mark.parametrize("step", [timedelta(), *STEPS])
def test_what_cannot_be_read_is_watched_and_then_stands_in_nobodys_way(
    ana: Lock, leases: MemoryLeases, clock: FakeClock, step: timedelta
) -> None:
    leases.create(foreign := Lease.illegible(9999, EIGHT, "KeyError('run')"))
    clock.stepped = step
    assert ana.acquire() == foreign
    assert clock.time > EIGHT
    ana.check()
    ana.write("begun")
    assert leases.all() == [ana.lease, foreign]
    ana.release()
    assert [(one.number, one.held) for one in leases.all()] == [(10000, False), (9999, True)]


def test_what_cannot_be_read_and_is_renewed_is_somebodys(leases: MemoryLeases) -> None:
    leases.create(Lease.illegible(3, EIGHT, "KeyError('run')"))
    one = lock("ana", leases, BeatingClock(EIGHT, leases=leases))
    with pytest.raises(LockHeld, match=r"got lease 3, which cannot be read \(KeyError"):
        one.acquire()


def test_whoever_gives_unlock_ends_what_cannot_be_read(ana: Lock, leases: MemoryLeases) -> None:
    leases.create(foreign := Lease.illegible(3, EIGHT, "KeyError('run')"))
    assert ana.force_release(ana.owner) == foreign
    assert ana.acquire() is not None
    ana.check()


def test_a_lease_that_is_reclaimed_keeps_its_release_state_and_is_renewed(
    ana: Lock, leases: MemoryLeases
) -> None:
    ana.acquire()
    ana.write("users moved")
    leases.remove(1)
    ana.reclaim()
    (anew,) = leases.all()
    assert (anew.number, anew.owner, anew.release_state) == (2, ana.owner, "users moved")
    ana.reclaim()
    assert [one.number for one in leases.all()] == [2]
    ana.write("restored")


def test_nobody_reclaims_what_another_holds(ana: Lock, bob: Lock, leases: MemoryLeases) -> None:
    ana.acquire()
    leases.kept.clear()
    bob.acquire()
    with pytest.raises(LockHeld, match=r"got lease 1 of bob@example\.com"):
        lock("cleo", leases, FakeClock(EIGHT + timedelta(hours=1))).reclaim()
    bob.check()
