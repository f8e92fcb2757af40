"""Races for the lock over the wire: fifty threads, several processes, and owners who die."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier
from typing import IO

import pytest

from greenrun.adapters.machine import SystemClock
from greenrun.model.errors import LockHeld, LockLost
from greenrun.model.lease import Lease
from greenrun.release.coordination.lock import Lock
from tests.adapters.cloud.candidates import until
from tests.fakes import FakeClock
from tests.release.lock.conftest import Region
from tests.release.lock.contenders import TIME_TO_LIVE, lease, owner

FIFTY = 50
HOUR = timedelta(hours=1)


def lock(
    region: Region, name: str, ahead: timedelta = timedelta(), live: timedelta = TIME_TO_LIVE
) -> Lock:
    """By a clock that stands unless somebody sleeps by it: the others' leases are of real time."""
    clock = FakeClock(datetime.now(UTC) + ahead)
    return Lock("web", owner(name), region.leases(), clock, live)


def wins(one: Lock, together: Barrier) -> bool:
    together.wait(30)
    try:
        one.acquire()
    except LockHeld:
        return False
    one.write("begun")
    return True


def taken(one: Lock) -> Lease | None:
    """None while another lives."""
    try:
        return one.acquire()
    except LockHeld:
        return None


@pytest.mark.parametrize("former", ["nobody", "a mark", "a dead owner"])
def test_exactly_one_of_fifty_proceeds(region: Region, former: str) -> None:
    if former != "nobody":
        is_dead = former == "a dead owner"
        region.leases().create(lease(7, held=is_dead, time_to_live=timedelta(seconds=1)))
    locks = [lock(region, f"owner{number}", timedelta(seconds=10)) for number in range(FIFTY)]
    together = Barrier(FIFTY)
    with ThreadPoolExecutor(FIFTY) as owners, ExitStack() as ending:
        for one in locks:
            ending.callback(one.release)
        won = list(owners.map(lambda one: wins(one, together), locks))
        assert won.count(True) == 1
        winner = locks[won.index(True)]
        assert [one.lease is not None for one in locks] == won
        winner.check()
        number = 1 if former == "nobody" else 8
        assert [(one.number, one.held) for one in region.leases().all()] == [(number, True)]
    assert [(one.number, one.held) for one in region.leases().all()] == [(number, False)]


def test_a_live_lease_withstands_fifty_whose_clocks_are_an_hour_ahead(region: Region) -> None:
    """Each of them sees it beat while he watches."""
    living = Lock("web", owner("ana"), region.leases(), SystemClock(), timedelta(seconds=3))
    living.acquire()

    class Following(SystemClock):
        def now(self) -> datetime:
            return super().now() + HOUR

    thieves = [
        Lock("web", owner(f"thief{number}"), region.leases(), Following(), TIME_TO_LIVE)
        for number in range(FIFTY)
    ]
    together = Barrier(FIFTY)
    with ThreadPoolExecutor(FIFTY) as owners:
        assert not any(owners.map(lambda one: wins(one, together), thieves))
    living.check()
    living.release()


def test_a_sleeper_that_wakes_is_refused(region: Region) -> None:
    sleeper = lock(region, "ana")
    sleeper.acquire()
    successor = lock(region, "bob", HOUR)
    successor.acquire()
    for attempt in (sleeper.check, lambda: sleeper.write("ana's")):
        with pytest.raises(LockLost, match=r"got lease 2 of bob"):
            attempt()
    sleeper.release()
    successor.check()
    successor.release()


def test_unlock_fences_whoever_held_it(region: Region) -> None:
    held = lock(region, "ana")
    held.acquire()
    held.write("users moved")
    person = lock(region, "eve")
    ended = person.force_release(owner("eve"))
    assert ended
    assert ended.owner.account == "ana@example.com"
    with pytest.raises(LockLost, match=r"got lease 2 of eve"):
        held.check()
    held.release()
    before = person.acquire()
    assert before
    assert (before.number, before.held, before.release_state) == (2, False, "users moved")
    person.release()


@pytest.mark.parametrize("rpc", ["CreateJob", "UpdateJob", "ListJobs", "DeleteJob"])
@pytest.mark.parametrize("fault", ["reply lost, once", "ABORTED, once", "DEADLINE_EXCEEDED, once"])
def test_a_lock_survives_a_fault_of_any_of_its_calls(region: Region, rpc: str, fault: str) -> None:
    region.leases().create(lease(1, held=False))
    one = lock(region, "ana")
    with region.cloud.faults.add(f"Jobs.{rpc}: {fault}") as struck:
        one.acquire()
        one.write("begun")
        one.check()
        one.release()
    assert struck.struck
    marks = [(mark.number, mark.held, mark.release_state) for mark in region.leases().all()]
    assert marks == [(2, False, "begun")]


class Racer:
    """A process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def says(self) -> str:
        return _piped(self._process.stdout).readline().strip()

    def go_on(self) -> None:
        stdin = _piped(self._process.stdin)
        stdin.write("\n")
        stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def ends(self) -> int:
        return self._process.wait(20)


def _piped(stream: IO[str] | None) -> IO[str]:
    assert stream
    return stream


@pytest.fixture
def racer(region: Region) -> Iterator[Callable[[str, float], Racer]]:
    with ExitStack() as ending:

        def start(name: str, seconds_to_live: float) -> Racer:
            project = region.place.project
            arguments = [region.cloud.grpc, project, name, str(seconds_to_live)]
            process = ending.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.release.lock.racer", *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            ending.callback(process.kill)
            return Racer(process)

        yield start


def test_exactly_one_of_five_processes_proceeds(
    region: Region, racer: Callable[[str, float], Racer]
) -> None:
    racers = [racer(f"owner{number}", 90) for number in range(5)]
    assert {one.says() for one in racers} == {"ready"}
    for one in racers:
        one.go_on()
    said = [one.says() for one in racers]
    assert said.count("held") == 1
    refusals = [what for what in said if what != "held"]
    (held,) = region.leases().all()
    assert all(what.startswith("refused: could not lock web: got lease 1 of") for what in refusals)
    assert all(str(held) in what for what in refusals)
    winner = racers[said.index("held")]
    winner.go_on()
    assert winner.ends() == 0
    assert not region.leases().all()[0].held


def test_the_lock_of_a_killed_process_dies_with_it_and_is_taken_over(
    region: Region, racer: Callable[[str, float], Racer]
) -> None:
    victim = racer("ana", 1.5)
    assert victim.says() == "ready"
    victim.go_on()
    assert victim.says() == "held"
    successor = Lock("web", owner("bob"), region.leases(), SystemClock(), TIME_TO_LIVE)
    with pytest.raises(LockHeld):
        successor.acquire()
    victim.kill()
    before = until(partial(taken, successor))
    assert before.owner.account == "ana@example.com"
    assert before.release_state == "begun by ana"
    assert before.held
    successor.check()
    successor.release()
