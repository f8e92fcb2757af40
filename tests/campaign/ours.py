"""What is ours breaks in the midst of a release: disk, journal, lock, clock, memory, terminal.

Whatever it is, users are where they should be in the end, and the exit status says so. The oracle
stands outside: it asks the public URL as users do, all the time.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from errno import ENOSPC
from functools import partial
from itertools import combinations
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import httpx
from google.cloud import run_v2

from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces import Clock, Dependencies
from greenrun.model.lease import Lease, LeaseHolder
from greenrun.release.release import Release
from tests.campaign import promises
from tests.campaign.course import Ending, Outcome, go_back, perform
from tests.campaign.programs import FAILING, HEALTHY
from tests.campaign.shop import BEFORE, PLACE, SERVICE, Shop

USERS_MOVE = "users move"
MOMENTS = (
    (HEALTHY, "deploy"),
    (HEALTHY, USERS_MOVE),
    (FAILING, USERS_MOVE),
    (HEALTHY, "promote"),
)

_FULL = OSError(ENOSPC, "No space left on device")
_GONE = BrokenPipeError("the terminal is gone")


class Breakable:
    """Stands in for something of ours: from a moment on, whatever is called of it raises."""

    def __init__(self, ours: object) -> None:
        self._ours = ours
        self.error: BaseException | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as ours has it
        called = getattr(self._ours, name)

        def breaking(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - likewise
            if self.error:
                raise self.error
            return called(*given, **named)

        return breaking


class MovingUsers:
    """The platform, where something happens as soon as it has moved users for the first time."""

    def __init__(self, platform: object, happens: Callable[[], object]) -> None:
        self._platform = platform
        self._happens: Callable[[], object] | None = happens

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the platform has it
        theirs = getattr(self._platform, name)
        return partial(self._moving, theirs) if name == "split_traffic" else theirs

    def _moving(self, split_traffic: Callable[..., Any], *given: Any) -> Any:  # noqa: ANN401 - likewise
        after = split_traffic(*given)
        if happens := self._happens:
            self._happens = None
            happens()
        return after


class SteppingClock:
    """A clock whose wall time somebody sets; durations are as ever."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.stepped = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self.stepped

    def monotonic(self) -> timedelta:
        return self._clock.monotonic()

    def sleep(self, duration: timedelta) -> None:
        self._clock.sleep(duration)


@dataclass
class Machine:
    """What a release has of its own; all `breaks` happen before `step`, or where USERS_MOVE."""

    shop: Shop
    step: str
    breaks: Sequence[Callable[["Machine"], None]]
    evidence: Breakable = field(init=False)
    progress: Breakable = field(init=False)
    charts: Breakable = field(init=False)
    clock: SteppingClock = field(init=False)

    def given_to(self, ours: Dependencies) -> Dependencies:
        self.evidence, self.progress = Breakable(ours.evidence), Breakable(ours.progress)
        self.charts, self.clock = Breakable(ours.charts), SteppingClock(ours.clock)
        names = ("evidence", "progress", "charts", "clock")
        broken: dict[str, Any] = {name: getattr(self, name) for name in names}
        if self.step == USERS_MOVE:
            broken["platform"] = MovingUsers(ours.platform, self.break_down)
        return replace(ours, **broken)

    def between(self, title: str) -> None:
        """A step is about to be made."""
        if title == self.step:
            self.break_down()

    def break_down(self) -> None:
        for each in self.breaks:
            each(self)

    @property
    def journal(self) -> Path:
        return self.shop.folder / "journal.jsonl"


def fills_the_disk(machine: Machine) -> None:
    machine.journal.rename(machine.journal.with_suffix(".before"))
    machine.journal.symlink_to("/dev/full")
    machine.evidence.error = machine.charts.error = _FULL


def makes_the_journal_a_folder(machine: Machine) -> None:
    machine.journal.rename(machine.journal.with_suffix(".before"))
    machine.journal.mkdir()


def garbles_the_journal(machine: Machine) -> None:
    machine.journal.write_bytes(b"\xff\x00{" * 100)


def closes_the_terminal(machine: Machine) -> None:
    machine.progress.error = _GONE


def uses_up_the_memory(machine: Machine) -> None:
    machine.evidence.error = machine.charts.error = machine.progress.error = MemoryError()


def turns_the_clock_back(machine: Machine) -> None:
    machine.clock.stepped = -timedelta(hours=1)


def deletes_the_lock(machine: Machine) -> None:
    for lease in machine.shop.leases.all():
        machine.shop.leases.remove(lease.number)


def garbles_the_lock(machine: Machine) -> None:
    jobs = machine.shop.clients.jobs
    for job in jobs.list_jobs(parent=PLACE.parent):
        if f"{SERVICE}-lock-" in job.name:
            garbled = dict.fromkeys(job.annotations, "\N{REPLACEMENT CHARACTER}")
            template = run_v2.ExecutionTemplate(job.template)
            changed = run_v2.Job(name=job.name, annotations=garbled, template=template)
            jobs.update_job(job=changed).result(timeout=20)  # type: ignore[no-untyped-call] # bare there


def leaves_a_foreign_lock(machine: Machine) -> None:
    """Of somebody who is long gone, under the highest number that there is."""
    owner, now = LeaseHolder("dora@example.com", "elsewhere", 1, "hers"), machine.clock.now()
    gone = Lease(9999, owner, now, now, timedelta(seconds=1), held=False)
    machine.shop.leases.create(gone)


def interrupts(_: Machine) -> None:
    """As Ctrl-C, SIGTERM and SIGHUP do, which the plugin makes one of."""
    raise KeyboardInterrupt


Breaks = Callable[[Machine], None]
BREAKS: Sequence[Breaks] = (
    fills_the_disk,
    makes_the_journal_a_folder,
    garbles_the_journal,
    closes_the_terminal,
    uses_up_the_memory,
    turns_the_clock_back,
    deletes_the_lock,
    garbles_the_lock,
    leaves_a_foreign_lock,
    interrupts,
)


class Oracle(AbstractContextManager["Oracle"]):
    """Asks the public URL as users do; `seen` are status and revision of each answer, in order."""

    def __init__(self, url: str) -> None:
        self.seen: list[tuple[int, str]] = []
        self._url = url
        self._over = Event()
        self._asking = Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Self:
        self._asking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._asking.join()

    @property
    def lost(self) -> list[tuple[int, str]]:
        """What no revision has answered."""
        return [one for one in self.seen if one[0] not in {200, 500}]

    def _ask(self) -> None:
        with httpx.Client(trust_env=False, timeout=10) as users:
            while not self._over.wait(0.02):
                self.seen.append(self._answer(users))

    def _answer(self, users: httpx.Client) -> tuple[int, str]:
        try:
            answer = users.get(f"{self._url}/api/health")
        except httpx.TransportError as error:
            return 0, repr(error)
        named = answer.json().get("revision", "") if answer.status_code == 200 else ""
        return answer.status_code, str(named)


@dataclass(frozen=True)
class Case:
    """A release in which something of ours broke, and every promise that was broken with it."""

    kind: str
    step: str
    breaks: Sequence[Breaks]
    outcome: Outcome
    asked: int
    broken: Sequence[str]

    def __str__(self) -> str:
        what = " and ".join(each.__name__ for each in self.breaks)
        told = self.outcome.told.replace("\n", "\n    ")
        head = f"{self.kind}: {what} before {self.step} -> {self.outcome.ending.value}"
        return "\n  ".join((head, *self.broken, f"it told: {told}"))


def befall(kind: str, step: str, *breaks: Breaks) -> Case:
    """A release of a shop of its own, in which all of these break before a step."""
    with Shop.opened() as (_, shop):
        before, machine = shop.reading, Machine(shop, step, breaks)
        with (
            Oracle(before.url) as oracle,
            shop.releasing("one", kind, chosen=machine.given_to) as release,
        ):
            outcome = _performed(release, machine.between)
        found = [*_promises(shop, kind, outcome), *(f"lost: {one}" for one in oracle.lost[:3])]
    return Case(kind, step, breaks, outcome, len(oracle.seen), found)


def _performed(release: Release, between: Callable[[str], object]) -> Outcome:
    """As pytest has it: whatever a scenario raises fails it, and the way back begins."""
    try:
        return perform(release, between=between)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - so does pytest
        outcome = Outcome(errors=[ReleaseError(f"{SERVICE}: {error!r}")])
        if isinstance(error, Exception):
            go_back(release, outcome)
        outcome.attempt("settle", lambda: release.settle(passed=False))
        return outcome


def _promises(shop: Shop, kind: str, outcome: Outcome) -> Iterator[str]:
    yield from promises.users(shop)
    if outcome.ending is Ending.NEEDS_PERSON:
        yield "needs a person, though the way back was open"
    if outcome.ending is Ending.RELEASED:
        if kind == FAILING:
            yield "a failing candidate was released"
    elif (found := shop.answering()) != {BEFORE}:
        yield f"not released, and users are answered by {found}"


def every_case() -> Iterator[tuple[str, str, *tuple[Breaks, ...]]]:
    """Each alone at the steps that matter, and pairs where users are on a failing candidate."""
    for kind, step in MOMENTS:
        yield from ((kind, step, each) for each in BREAKS)
    for one, other in combinations(BREAKS, 2):
        yield FAILING, USERS_MOVE, one, other
