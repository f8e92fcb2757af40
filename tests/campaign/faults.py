"""Faults of single calls: which there are, and what became of the releases that met them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from time import monotonic
from typing import Any, Self

from cloudrun_emulator.emulator import LocalCloud
from tests.campaign import promises
from tests.campaign.course import Ending, Outcome, perform
from tests.campaign.shop import Shop

CODES = (
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "ABORTED",
    "RESOURCE_EXHAUSTED",
    "PERMISSION_DENIED",
)
LOST = "reply lost"
OPERATION = ("operation never done", "operation never begun")
STALE = "stale"

BEGINS = ("Services.UpdateService", "Jobs.RunJob", "Jobs.UpdateJob", "Jobs.CreateJob")
READ_LATE = "Services.GetService"
WAY_BACK = (
    "Services.GetService",
    "Services.UpdateService",
    "Jobs.ListJobs",
    "Jobs.UpdateJob",
    "LoggingServiceV2.ListLogEntries",
)
"""Calls without which nobody can go back and prove it: the service, the lock, the request log."""

FOR_GOOD = 0


@dataclass(frozen=True)
class Fault:
    """What happens to a call of a release: to the `ordinal`-th of its kind, or FOR_GOOD.

    `since` is the step that it begins before; empty, it is there from the beginning.
    """

    rpc: str
    effect: str
    ordinal: int
    since: str = ""
    strict_etags: bool = True

    def __str__(self) -> str:
        when = (
            f"call {self.ordinal}" if self.ordinal else f"for good from {self.since or 'the first'}"
        )
        etags = "" if self.strict_etags else " (lax etags)"
        return f"{self.rpc}: {self.effect}, {when}{etags}"

    @property
    def may_need_person(self) -> bool:
        """Only where what a way back needs is gone for good."""
        return self.ordinal == FOR_GOOD and self.rpc in WAY_BACK

    def in_words(self) -> str:
        """As the local cloud understands it."""
        text = f"{self.rpc}: {self.effect}"
        return f"{text}, the {self.ordinal}th time" if self.ordinal != FOR_GOOD else text


@dataclass(frozen=True)
class Case:
    """One release that met a fault, and every promise that it broke."""

    fault: Fault
    outcome: Outcome
    struck: int
    took: timedelta
    broken: Sequence[str] = field(default=())

    def __str__(self) -> str:
        told = self.outcome.told.replace("\n", "\n    ")
        return "\n  ".join(
            (f"{self.fault} -> {self.outcome.ending.value}", *self.broken, f"it told: {told}")
        )


def befall(fault: Fault) -> Case:
    """A release of a shop of its own, which meets the fault; judged once the fault is lifted."""
    with Shop.opened(strict_etags=fault.strict_etags) as (cloud, shop):
        before, begun = shop.reading, monotonic()
        with Trouble(cloud, fault) as trouble, shop.releasing("one") as release:
            outcome = perform(release, between=trouble.begin)
        took = timedelta(seconds=monotonic() - begun)
        found = promises.broken(shop, before, outcome)
    if outcome.ending is Ending.NEEDS_PERSON and not fault.may_need_person:
        found.append("needs a person, though the way back was open")
    return Case(fault, outcome, trouble.struck, took, found)


class Trouble:
    """A fault of a cloud, from when its step has come until the end of a `with`."""

    def __init__(self, cloud: LocalCloud, fault: Fault) -> None:
        self._cloud = cloud
        self._fault = fault
        self._lifting = ExitStack()
        self._added: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lifting.close()

    def begin(self, step: str) -> None:
        """A step is about to be made."""
        if self._added is None and self._fault.since in {"", step}:
            added = self._cloud.faults.add(self._fault.in_words())
            self._added = self._lifting.enter_context(added)

    @property
    def struck(self) -> int:
        """How many calls it befell."""
        return self._added.struck if self._added else 0


def recorded() -> Counter[str]:
    """How often a release that meets nothing makes each call."""
    with Shop.opened() as (cloud, shop):
        cloud.calls.clear()
        with shop.releasing("one") as release:
            outcome = perform(release)
        calls = Counter(call.rpc for call in cloud.calls)
    assert outcome.ending is Ending.RELEASED, outcome.told
    return calls


def at_the_ends(calls: Mapping[str, int]) -> Iterator[Fault]:
    """The first call of each kind, the last one, and all of them."""
    for rpc, times in calls.items():
        ordinals = dict.fromkeys((1, times, FOR_GOOD))
        yield from (Fault(rpc, *each) for each in product(effects(rpc), ordinals))


def since_users_moved(calls: Mapping[str, int]) -> Iterator[Fault]:
    """All calls of a kind, from when a way back is needed."""
    for rpc, step in product(calls, ("canary", "promote", "candidate serves")):
        yield from (Fault(rpc, effect, FOR_GOOD, step) for effect in effects(rpc))


def between_the_ends(calls: Mapping[str, int]) -> Iterator[Fault]:
    """Every other call."""
    for rpc, times in calls.items():
        yield from (Fault(rpc, *each) for each in product(effects(rpc), range(2, times)))


def effects(rpc: str) -> tuple[str, ...]:
    """What may happen to a call."""
    begun = OPERATION if rpc in BEGINS else ()
    stale = (STALE,) if rpc == READ_LATE else ()
    return (*CODES, LOST, *begun, *stale)
