"""Nothing of ours stands between users and the way back, whatever of it fails, and whenever."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from greenrun.model.errors import GateClosed, LockLost, ManualActionRequired
from greenrun.model.image import Source
from greenrun.model.lease import Lease, LeaseHolder
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import Plan
from greenrun.model.release_state import Stage
from greenrun.release import manual, recovery
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from greenrun.release.release import Release
from tests.conftest import BASELINE, FAILING, World
from tests.fakes.breaking import Breaking, Calls, breaking
from tests.stages import deployed, moved

OBJECTIVES = Gate((Threshold("error rate", "at most", Quantity(5, "%")),))
ERRORS = [OSError(28, "no space left"), MemoryError(), UnicodeError("no text"), RuntimeError("oh")]
PLATFORM, PROOF = {"platform"}, {"platform", "web", "logs", "clock"}
"""Roles without which users cannot be sent back, and without which that cannot be proven."""


@dataclass
class Scene:
    """A release, all of whose calls can fail, from the moment that users have to be sent back."""

    world: World
    calls: Calls
    send_back: Callable[[], object]

    def ended(self) -> BaseException | None:
        """Send users back; the error that it ended with."""
        self.calls.watched = True
        try:
            self.send_back()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error
        else:
            return None
        finally:
            self.calls.watched = False


@dataclass
class Maker:
    """Makes a new world for each case."""

    plan: Plan
    owner: LeaseHolder
    folder: Path
    worlds: Callable[[], World]
    number: int = 0

    def release(self, world: World, calls: Calls, run: str) -> Release:
        self.number += 1
        roles = breaking(world.dependencies, calls)
        journal = Journal(self.folder / f"journal-{self.number}.jsonl", roles.clock)
        owner = replace(self.owner, run=run)
        lock = Lock("shop", owner, roles.leases, roles.clock, self.plan.lease_duration)
        broken = cast("Any", Breaking(journal, "journal", calls))
        guard = ChangeGuard(broken, lock, run, roles.progress)
        return Release(self.plan, roles, guard, {"a user": {}}, Source(self.folder, "c0ffee"))

    def closed_gate(self) -> Scene:
        """The canary has failed while users met the candidate."""
        world, calls = self.worlds(), Calls()
        release = deployed(self.release(world, calls, "the-run"))
        world.metrics.answering[release.candidate.name] = FAILING
        with pytest.raises(GateClosed):
            release.run_canary(OBJECTIVES)
        return Scene(world, calls, lambda: release.settle(passed=False))

    def killed_release(self) -> Scene:
        """A release died when it had given everybody to the candidate, and not proven it."""
        world, calls = self.worlds(), Calls()
        dead = deployed(self.release(world, Calls(), "the-dead"))
        dead.raise_share(100)
        dead.guard.lock.release()
        release = self.release(world, calls, "the-next")
        release.acquire_lock()

        def send_back() -> None:
            try:
                recovery.recover(release, resume=False)
            finally:
                release.settle(passed=False)

        return Scene(world, calls, send_back)


SCENES: list[Callable[[Maker], Scene]] = [Maker.closed_gate, Maker.killed_release]


@pytest.fixture
def maker(plan: Plan, owner: LeaseHolder, tmp_path: Path) -> Iterator[Maker]:
    made: list[World] = []

    def world() -> World:
        made.append(World.serving_the_baseline(plan))
        return made[-1]

    yield Maker(plan, owner, tmp_path, world)
    for each in made:
        each.end()


def passed_by(maker: Maker, scene: Callable[[Maker], Scene]) -> list[str]:
    """Every call that is made on the way back, in its order."""
    recorded = scene(maker)
    assert recorded.ended() is None
    assert recorded.world.serving == {BASELINE: 100}
    return recorded.calls.made


@pytest.mark.parametrize("scene", SCENES)
def test_the_way_back_passes_all_that_could_be_in_its_way(
    maker: Maker, scene: Callable[[Maker], Scene]
) -> None:
    passed = {call.partition(".")[0] for call in passed_by(maker, scene)}
    assert {"leases", "journal", "evidence", "progress", *PROOF} <= passed


def at_the(struck: int, error: Exception, number: int, _: str) -> Exception | None:
    return error if number == struck else None


def at_each(broken: str, error: Exception, _: int, name: str) -> Exception | None:
    return error if name == broken else None


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("answers_are_lost", [False, True])
@pytest.mark.parametrize("scene", SCENES)
def test_whatever_fails_once_is_no_reason_to_leave_users_where_they_are(
    maker: Maker, scene: Callable[[Maker], Scene], error: Exception, *, answers_are_lost: bool
) -> None:
    made, wrong = passed_by(maker, scene), []
    for struck, name in enumerate(made):
        case = scene(maker)
        case.calls.answers_are_lost = answers_are_lost
        case.calls.fails = partial(at_the, struck, error)
        ended = case.ended()
        if ended is not None or case.world.serving != {BASELINE: 100}:
            wrong.append((struck, name, ended, case.world.serving))
    assert wrong == []


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("scene", SCENES)
def test_whatever_fails_for_good_forbids_the_way_back_only_if_it_is_the_platform(
    maker: Maker, scene: Callable[[Maker], Scene], error: Exception
) -> None:
    wrong = []
    for broken in sorted(set(passed_by(maker, scene))):
        role = broken.partition(".")[0]
        case = scene(maker)
        case.calls.fails = partial(at_each, broken, error)
        ended = case.ended()
        at_home = case.world.serving == {BASELINE: 100}
        told = isinstance(ended, ManualActionRequired)
        right = ended is None and at_home
        if role in PLATFORM:
            right = told
        elif role in PROOF:
            right = at_home and (told or ended is None)
        if not right:
            wrong.append((broken, ended, case.world.serving))
    assert wrong == []


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_users_come_back_though_nothing_but_the_platform_and_the_proof_works(
    maker: Maker, error: Exception
) -> None:
    case = maker.closed_gate()
    needed = {"platform", "web", "logs", "clock"}
    case.calls.fails = lambda _, name: None if name.partition(".")[0] in needed else error
    assert case.ended() is None
    assert case.world.serving == {BASELINE: 100}


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_what_failed_is_kept_and_told_once(
    release: Release, world: World, error: Exception, tmp_path: Path
) -> None:
    moved(release)
    calls = Calls(watched=True, fails=lambda _number, _name: error)
    release.guard.journal = cast("Any", Breaking(release.guard.journal, "journal", calls))
    assert release.settle(passed=False) is True
    assert len(calls.made) > 1
    assert release.guard.failures == {
        "write the journal": error,
        "write down where the release stands": error,
    }
    told = [line for line in world.progress.lines if line.startswith("could not write the journal")]
    assert told == [
        f"could not write the journal, going on without: {type(error).__name__}: {error}"
    ]
    assert tmp_path


def full(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/full")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def under_a_file(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("")


def no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00" * 99)


@pytest.mark.parametrize("spoil", [full, a_folder, under_a_file, no_text])
def test_a_journal_that_takes_no_line_stops_the_way_forward_and_not_the_way_back(
    release: Release, world: World, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    path = tmp_path / "reports" / "journal.jsonl"
    release.guard.journal = Journal(path, world.clock)
    moved(release)
    serving, calls = world.serving, list(world.platform.calls)
    spoil(path)
    if spoil is not no_text:
        with pytest.raises(OSError, match=r"journal|No space left"):
            release.raise_share(50)
        assert (world.serving, world.platform.calls) == (serving, calls)
    assert release.users_are_elsewhere
    assert release.settle(passed=False) is True
    assert world.serving == {BASELINE: 100}
    with pytest.raises((GateClosed, OSError)):
        release.guard.journal.is_whole()


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_line_that_was_cut_short_does_not_break_the_chain(tmp_path: Path, world: World) -> None:
    journal = Journal(tmp_path / "journal.jsonl", world.clock)
    journal.note("one", "shop")
    with room_for(journal.path.stat().st_size + 9), pytest.raises(OSError, match="No space left"):
        journal.note("two", "shop")
    journal.note("three", "shop")
    assert [entry.action for entry in journal.entries()] == ["one", "three"]


@pytest.mark.parametrize("state", ['{"migrations":[7]}', "not JSON", "null", "[" * 10**5, "\x00"])
def test_a_person_sends_users_to_a_revision_whatever_stands_on_the_lease(
    release: Release, world: World, state: str, owner: LeaseHolder
) -> None:
    moved(release)
    release.guard.lock.release()
    (number,) = world.leases.kept
    world.leases.kept[number] = replace(world.leases.kept[number], release_state=state, held=True)
    person = next_run_of(release, world, owner)
    assert manual.send_back(person, asked_for=True, to=BASELINE, unlock=True) == BASELINE
    assert world.serving == {BASELINE: 100}
    person.guard.lock.release()
    later = next_run_of(release, world, owner)
    last = later.acquire_lock()
    assert last is not None
    assert (last.baseline, last.stage) == (BASELINE, Stage.LEFT)
    assert later.find_baseline() == BASELINE


def test_a_person_sends_users_to_a_revision_though_the_leases_are_unreadable_or_refused(
    release: Release, world: World, owner: LeaseHolder
) -> None:
    moved(release)
    now = world.clock.now()
    world.leases.kept[9999] = Lease.illegible(9999, now, "KeyError('account')")
    person = next_run_of(release, world, owner)
    assert manual.send_back(person, asked_for=True, to=BASELINE, unlock=True) == BASELINE
    assert world.serving == {BASELINE: 100}


def next_run_of(release: Release, world: World, owner: LeaseHolder) -> Release:
    """Another person's, from another machine, at once."""
    someone = replace(owner, run=f"{owner.run}-{len(world.leases.kept)}-{world.clock.time}")
    plan, roles = release.plan, release.dependencies
    lock = Lock(plan.service, someone, roles.leases, roles.clock, plan.lease_duration)
    guard = ChangeGuard(release.guard.journal, lock, someone.run, roles.progress)
    world.clock.sleep(plan.lease_duration * 2)
    return Release(plan, roles, guard, {"a user": {}}, release.source)


def test_a_lock_that_another_holds_ends_the_way_forward(
    release: Release, world: World, owner: LeaseHolder
) -> None:
    moved(release)
    world.leases.kept.clear()
    theirs = next_run_of(release, world, owner)
    theirs.guard.lock.acquire()
    with pytest.raises(LockLost):
        release.raise_share(50)
    with pytest.raises(ManualActionRequired, match="got lease 1 of somebody@"):
        release.settle(passed=False)
    theirs.guard.lock.release()
