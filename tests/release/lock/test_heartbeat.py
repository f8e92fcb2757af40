"""What keeps a lease alive while the release does something else."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from greenrun.model.errors import CallFailed
from greenrun.model.lease import Lease
from greenrun.release.coordination.lock import Lock
from tests.adapters.cloud.candidates import until
from tests.fakes import FakeClock, MemoryLeases
from tests.release.lock.contenders import owner

TIME_TO_LIVE = timedelta(seconds=0.15)


@dataclass
class WatchedLeases(MemoryLeases):
    """Counts the beats that it is sent, and fails them as it is told.

    `crowded` is set when two come at once, for which each lingers.
    """

    sent: int = 0
    failing: Exception | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    linger_seconds: float = 0
    busy: threading.Lock = field(default_factory=threading.Lock)
    crowded: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def update(self, lease: Lease) -> None:
        self.sent += 1
        if not self.busy.acquire(blocking=False):
            self.crowded.set()
            return
        try:
            assert self.gate.wait(10)
            self.crowded.wait(self.linger_seconds)
            if self.failing:
                raise self.failing
            super().update(lease)
        finally:
            self.busy.release()


@pytest.fixture
def leases() -> WatchedLeases:
    return WatchedLeases()


@pytest.fixture
def clock() -> FakeClock:
    """It stands still: however slow this machine is, a lease lapses when the test says so."""
    return FakeClock()


@pytest.fixture
def lock(leases: WatchedLeases, clock: FakeClock) -> Iterator[Lock]:
    lock = Lock("heart", owner("ana"), leases, clock, TIME_TO_LIVE)
    lock.acquire()
    yield lock
    leases.failing = None
    leases.gate.set()
    lock.release()
    assert not beating()


def beating() -> bool:
    return any(thread.name == "lock of heart" for thread in threading.enumerate())


def await_beats(leases: WatchedLeases, count: int) -> None:
    wanted = leases.sent + count
    until(lambda: leases.sent >= wanted)


@pytest.mark.usefixtures("lock")
def test_a_lease_beats_by_itself_and_by_the_clock(leases: WatchedLeases, clock: FakeClock) -> None:
    clock.sleep(renewed_at := TIME_TO_LIVE / 3)
    until(lambda: leases.kept[1].renewed_at == FakeClock().time + renewed_at)
    await_beats(leases, 3)


@pytest.mark.parametrize("failure", [CallFailed("no answer"), ValueError("channel is closed")])
def test_beats_that_fail_are_tried_again(
    lock: Lock, leases: WatchedLeases, clock: FakeClock, failure: Exception
) -> None:
    leases.failing = failure
    await_beats(leases, 3)
    leases.failing = None
    clock.sleep(TIME_TO_LIVE / 2)
    until(lambda: leases.kept[1].renewed_at == clock.time)
    lock.check()


def test_a_lease_that_lapsed_goes_on_under_the_next_number(
    lock: Lock, leases: WatchedLeases, clock: FakeClock
) -> None:
    clock.sleep(TIME_TO_LIVE)
    until(lambda: 2 in leases.kept)
    await_beats(leases, 2)
    lock.check()
    assert [one.number for one in leases.all()] == [2]


def test_a_lease_that_was_taken_over_beats_no_more(
    lock: Lock, leases: WatchedLeases, clock: FakeClock
) -> None:
    another = Lock("heart", owner("bob"), leases, clock, TIME_TO_LIVE)
    another.force_release(another.owner)
    clock.sleep(TIME_TO_LIVE)
    until(lambda: not beating())
    assert [one.owner for one in leases.all()] == [another.owner]
    assert lock.lease


def test_nothing_beats_after_letting_go(lock: Lock, leases: WatchedLeases) -> None:
    await_beats(leases, 1)
    lock.release()
    assert not beating()
    assert not leases.kept[1].held


def test_the_heart_is_no_reason_for_a_process_to_stay(lock: Lock) -> None:
    assert lock.lease
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "lock of heart")


def test_a_beat_and_what_is_written_never_meet(lock: Lock, leases: WatchedLeases) -> None:
    leases.linger_seconds = TIME_TO_LIVE.total_seconds()
    lock.write("users moved")
    leases.linger_seconds = 0
    assert not leases.crowded.is_set()
    await_beats(leases, 2)
    assert leases.kept[1].release_state == "users moved"


def test_a_beat_under_way_does_not_undo_letting_go(lock: Lock, leases: WatchedLeases) -> None:
    leases.gate.clear()
    await_beats(leases, 1)
    with ThreadPoolExecutor(1) as release:
        ending = release.submit(lock.release)
        leases.gate.set()
        ending.result(10)
    assert not leases.kept[1].held
    assert not beating()
