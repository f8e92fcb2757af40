"""However the calls of several releases interleave, one of them has the lock."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.model.errors import LockHeld, LockLost
from greenrun.model.lease import Lease
from greenrun.release.coordination.lock import Lock
from tests.fakes import FakeClock, MemoryLeases
from tests.release.lock.contenders import EIGHT, lease, lock, owner
from tests.release.lock.turns import Actor, Schedule, Stepwise, every_schedule

HOUR = timedelta(hours=1)


class Oversleeping(FakeClock):
    """So a dead lease is looked at twice, and not once a second."""

    def sleep(self, duration: timedelta) -> None:
        super().sleep(duration + timedelta(minutes=1))


@dataclass
class World:
    """One service, and what became of those who wanted to release it."""

    leases: MemoryLeases = field(default_factory=MemoryLeases)
    newest: int = 0
    inside: set[str] = field(default_factory=set)
    together: set[str] = field(default_factory=set)
    late: list[str] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    kept: list[Lock] = field(default_factory=list)

    def release(
        self,
        name: str,
        *,
        changes: Sequence[str] = ("begun", "users moved"),
        ahead: timedelta = timedelta(),
        naps: timedelta = timedelta(),
        lets_go: bool = True,
    ) -> Callable[[Actor], None]:
        """Take the lock, change the service, let go; `naps` before each change."""

        def act(actor: Actor) -> None:
            steps = Stepwise(self.leases, actor)
            clock = Oversleeping(EIGHT + ahead)
            one = lock(name, steps, clock)
            try:
                one.acquire()
                self._enter(name, steps.made)
                for release_state in changes:
                    clock.time += naps
                    self._change(name, one, steps.made, release_state)
            except LockHeld:
                self.ended[name] = "refused"
            except LockLost:
                self.ended[name] = "taken over"
            else:
                self.ended[name] = "released"
            self.inside.discard(name)
            if lets_go:
                one.release()
            else:
                self.kept.append(one)

        return act

    def unlock(self, actor: Actor) -> None:
        """A person ends whatever lease there is."""
        with suppress(LockHeld):
            lock("eve", Stepwise(self.leases, actor)).force_release(owner("eve"))

    def _enter(self, name: str, number: int) -> None:
        self.newest = max(self.newest, number)
        self.inside.add(name)
        if len(self.inside) > 1:
            self.together |= self.inside

    def _change(self, name: str, one: Lock, number: int, release_state: str) -> None:
        taken_over = self.newest > number
        one.write(release_state)
        if taken_over:
            self.late.append(name)


@pytest.fixture(autouse=True)
def no_heart_outlives_its_test() -> Iterator[None]:
    """Of thousands of locks, each would beat for as long as the tests run."""
    yield
    assert not [one for one in threading.enumerate() if one.name == "lock of web"]


def dead() -> Lease:
    return lease(3, renewed_at=EIGHT - HOUR)


def mark() -> Lease:
    return lease(3, held=False)


@pytest.mark.parametrize("former", [None, mark, dead])
def test_of_two_releases_never_two_have_the_lock(former: Callable[[], Lease] | None) -> None:
    endings = set()
    for schedule in every_schedule():
        world = World()
        if former:
            world.leases.create(former())
        schedule.play(world.release("ana"), world.release("bob"))
        assert not world.together
        endings.add(tuple(sorted(world.ended.items())))
        assert [one.held for one in world.leases.all()] == [False]
    assert endings == {
        (("ana", "released"), ("bob", "refused")),
        (("ana", "refused"), ("bob", "released")),
        (("ana", "released"), ("bob", "released")),
    }


@pytest.mark.parametrize("former", [None, mark, dead])
def test_of_two_releases_exactly_one_proceeds(former: Callable[[], Lease] | None) -> None:
    for schedule in every_schedule():
        world = World()
        if former:
            world.leases.create(former())
        schedule.play(
            world.release("ana", lets_go=False),
            world.release("bob", lets_go=False),
        )
        assert sorted(world.ended.values()) == ["refused", "released"]
        for one in world.kept:
            one.release()


@pytest.mark.parametrize(
    ("changes", "naps"),
    [(("begun", "users moved"), timedelta()), (("users moved",), HOUR)],
    ids=["slow", "asleep"],
)
def test_whoever_was_taken_over_writes_nothing_more(
    changes: Sequence[str], naps: timedelta
) -> None:
    """To bob, whose clock is an hour ahead and who oversleeps, ana looks dead; she is not."""
    endings = set()
    for schedule in every_schedule():
        world = World()
        ana = world.release("ana", changes=changes, naps=naps)
        schedule.play(ana, world.release("bob", ahead=HOUR, changes=()))
        assert not world.late
        endings.add((world.ended["ana"], world.ended["bob"]))
    assert endings == {
        ("released", "released"),
        ("released", "refused"),
        ("refused", "released"),
        ("taken over", "released"),
    }


def test_whoever_was_unlocked_writes_nothing_more() -> None:
    endings = set()
    for schedule in every_schedule():
        world = World()
        schedule.play(world.release("ana"), world.unlock)
        assert not world.late
        endings.add(world.ended["ana"])
    assert endings == {"released", "refused", "taken over"}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([None, mark, dead]),
    st.lists(st.integers(0, 5), max_size=60),
    st.integers(3, 4),
)
def test_of_many_releases_never_two_have_the_lock(
    former: Callable[[], Lease] | None, choices: Sequence[int], count: int
) -> None:
    world = World()
    if former:
        world.leases.create(former())
    Schedule(choices).play(*(world.release(f"owner{number}") for number in range(count)))
    assert not world.together
    assert not world.late
    assert "released" in world.ended.values()
    assert [one.held for one in world.leases.all()][:1] == [False]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=80))
def test_whatever_clocks_and_people_do_the_overtaken_write_nothing(choices: Sequence[int]) -> None:
    world = World()
    Schedule(choices).play(
        world.release("ana"),
        world.release("bob", ahead=HOUR),
        world.unlock,
        world.release("cleo", ahead=2 * HOUR),
    )
    assert not world.late
    assert set(world.ended.values()) <= {"released", "refused", "taken over"}


class Overwriting(MemoryLeases):
    """Claims whose `create` is not atomic, as an update that wins over another is not."""

    def create(self, lease: Lease) -> bool:
        self.kept[lease.number] = lease
        return True


def test_without_an_atomic_creation_it_would_be_found_out() -> None:
    def fails(schedule: Schedule) -> bool:
        world = World(Overwriting())
        schedule.play(world.release("ana"), world.release("bob"))
        return bool(world.together)

    assert any(fails(schedule) for schedule in every_schedule())
