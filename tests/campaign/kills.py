"""Releases that are killed, and those that come after them."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.emulator import LocalCloud
from tests.campaign import promises
from tests.campaign.course import Ending, Outcome, perform, way
from tests.campaign.programs import HEALTHY
from tests.campaign.shop import Shop

ROOT = Path(__file__).parents[2]
_DIES_WITHIN = timedelta(seconds=120)
_LATE = "60s"


@dataclass(frozen=True)
class Death:
    """A release that was killed, the one after it, and every promise that was broken.

    `took` is the time of the one after it, with the watch over the dead one's lock.
    """

    when: str
    resume: bool
    found: str
    outcome: Outcome
    took: timedelta
    broken: Sequence[str]

    def __str__(self) -> str:
        told = self.outcome.told.replace("\n", "\n    ")
        how = "gone on with" if self.resume else "taken back"
        head = f"killed {self.when}, {how} -> {self.outcome.ending.value}"
        return "\n  ".join((head, *self.broken, f"it found: {self.found}", f"it told: {told}"))


def at_entry(number: int, *, resume: bool = False) -> Death:
    """`kill -9` as soon as the journal has so many entries."""
    with Shop.opened() as (_, shop):
        with _releasing(shop, entries=number) as process:
            status = process.wait(_DIES_WITHIN.total_seconds())
        entries = shop.journal().entries()
        when = f"at entry {number}, {entries[-1].action} {entries[-1].state}"
        alive = [] if status == -9 else [f"it ended by itself with {status}"]
        return _after(shop, when, resume=resume, broken=alive)


def after_sending(rpc: str, ordinal: int, *, resume: bool = False) -> Death:
    """`kill -9` when the cloud has done what was asked, and its answer is not there yet."""
    with Shop.opened() as (cloud, shop):
        fault = cloud.faults.add(f"{rpc}: reply late by {_LATE}, the {ordinal}th time")
        with fault, _releasing(shop, entries=0) as process:
            wait_until(
                lambda: _is_answered_late(cloud, rpc, ordinal), _DIES_WITHIN, f"{ordinal}. {rpc}"
            )
            process.kill()
            process.wait()
        return _after(shop, f"after sending {rpc}, call {ordinal}", resume=resume, broken=[])


def entries_of_a_release() -> Sequence[str]:
    """Action and state of each entry, where nobody dies."""
    with Shop.opened() as (_, shop), shop.releasing("one") as release:
        outcome = perform(release)
        assert outcome.ending is Ending.RELEASED, outcome.told
        return [f"{entry.action} {entry.state}" for entry in shop.journal().entries()]


def _after(shop: Shop, when: str, *, resume: bool, broken: list[str]) -> Death:
    """Users are well at once; the next release finds what is left, and goes through."""
    broken += promises.users(shop)
    before = shop.reading
    wait_until(lambda: shop.lapsed, _DIES_WITHIN, "the dead one's claim to look dead")
    begun = monotonic()
    with shop.releasing("next") as release:
        outcome = perform(release, way(resume=resume))
        found = str(release.dependencies.evidence.kept.get("what was left", ""))  # type: ignore[attr-defined] # MemoryEvidence
    took = timedelta(seconds=monotonic() - begun)
    broken += promises.broken(shop, before, outcome)
    if outcome.ending is not Ending.RELEASED:
        broken.append("the next release did not go through")
    if not found:
        broken.append("the next release does not say what it found")
    return Death(when, resume, found, outcome, took, broken)


@contextmanager
def _releasing(shop: Shop, *, entries: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A release in a process of its own; killed if it was not waited for."""
    module = [sys.executable, "-m", "tests.campaign.dying"]
    arguments = [shop.address, str(shop.folder), HEALTHY, str(entries)]
    with subprocess.Popen([*module, *arguments], cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def _is_answered_late(cloud: LocalCloud, rpc: str, ordinal: int) -> bool:
    """Carried out, and nobody was told yet."""
    calls = [call for call in cloud.calls if call.rpc == rpc]
    return len(calls) >= ordinal and any(each.carried_out and each.code is None for each in calls)
