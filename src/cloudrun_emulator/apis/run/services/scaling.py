"""How many instances: at most one of each revision, none when halted, a new one for a dead one."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, RLock, Thread
from time import monotonic

from google.cloud import run_v2
from grpc import StatusCode

from cloudrun_emulator.apis.run import conditions
from cloudrun_emulator.apis.run.services.launcher import Launcher, LaunchFailed
from cloudrun_emulator.apis.run.services.store import ServiceRecord, Store
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import Instance
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import short
from cloudrun_emulator.runtime.instances import stop_all

_AT_ONCE = 16


class Scaling:
    """Ends the instances of a service that is scaled to zero by hand, and brings them back."""

    def __init__(self, lock: RLock, launcher: Launcher) -> None:
        self._lock = lock
        self._launcher = launcher

    def stop(self, record: ServiceRecord) -> None:
        """End all instances of a service that is halted still, to which nobody is routed any more.

        One that is just starting is not kept.
        """
        with self._lock:
            if not record.halted:
                return
            instances = list(record.instances.values())
            record.instances.clear()
        stop_all(instances)

    def start(self, record: ServiceRecord) -> None:
        """Give every revision that traffic means an instance, side by side.

        Raises FAILED_PRECONDITION for one that does not start: scaling up again is a start like
        any other [?].
        """
        if not (missing := self._missing(record)):
            return
        with ThreadPoolExecutor(_AT_ONCE) as starters:
            for started in [starters.submit(self._revive, record, one) for one in missing]:
                started.result()

    def _missing(self, record: ServiceRecord) -> list[run_v2.Revision]:
        with self._lock:
            if record.idle:
                return []
            ready = {
                name: one for name, one in record.revisions.items() if conditions.is_ready(one)
            }
            latest = list(ready)[-1:]
            meant = {target.revision for target in record.service.traffic}.union(latest)
            return [
                clone(one)
                for name, one in ready.items()
                if name in meant and name not in record.instances
            ]

    def _revive(self, record: ServiceRecord, revision: run_v2.Revision) -> None:
        name = short(revision.name)
        try:
            instance = self._launcher.launch(
                revision, lambda: record.idle, checked=record.checked(name)
            )
        except LaunchFailed as failure:
            raise CloudError(StatusCode.FAILED_PRECONDITION, str(failure)) from failure
        with self._lock:
            kept = name not in record.instances and record.keep(name, instance)
        if not kept:
            instance.stop()


ROUND = timedelta(milliseconds=200)
LONGEST_PAUSE = timedelta(seconds=10)
LASTING = timedelta(minutes=1)


Replace = Callable[[ServiceRecord, str, Instance], None]
"""Lets an instance serve for a revision, by its short name, in place of one that died."""


class Supervisor:
    """Looks after every revision that has an instance; its routes answer 503 in between.

    A revision that dies again and again is started after pauses that double.
    """

    def __init__(self, store: Store, launcher: Launcher, replace: Replace) -> None:
        self._store = store
        self._launcher = launcher
        self._replace = replace
        self._closing = Event()
        self._revivals: dict[str, Revival] = {}
        self._thread = Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the watch, and wait for starts under way, which closing the launcher makes end."""
        self._closing.set()
        self._thread.join()
        for revival in self._revivals.values():
            revival.thread.join()

    def _watch(self) -> None:
        while not self._closing.wait(ROUND.total_seconds()):
            for record, revision in self._dead():
                last = self._revivals.get(revision.name)
                if last is None or last.over:
                    self._revivals[revision.name] = self._revival(record, revision, last)

    def _dead(self) -> list[tuple[ServiceRecord, run_v2.Revision]]:
        with self._store.lock:
            watched = [
                (record, name, instance)
                for record in self._store
                for name, instance in record.instances.items()
            ]
        dead = [(record, name) for record, name, one in watched if one.exit_code() is not None]
        return list(self._wanted(dead)) if dead else []

    def _wanted(
        self, dead: list[tuple[ServiceRecord, str]]
    ) -> Iterator[tuple[ServiceRecord, run_v2.Revision]]:
        with self._store.lock:
            for record, name in dead:
                if name in record.revisions and not record.idle:
                    yield record, clone(record.revisions[name])

    def _revival(
        self, record: ServiceRecord, revision: run_v2.Revision, last: "Revival | None"
    ) -> "Revival":
        pause = last.longer_pause() if last else ROUND
        thread = Thread(target=self._revive, args=(record, revision), daemon=True)
        thread.start()
        return Revival(thread, pause)

    def _revive(self, record: ServiceRecord, revision: run_v2.Revision) -> None:
        """Stop what is left of the dead one first: other containers of it may run still."""
        name = short(revision.name)
        with self._store.lock:
            dead, checked = record.instances.get(name), record.checked(name)
        if dead is not None:
            dead.stop()
        with suppress(LaunchFailed):  # the next round finds it dead still
            instance = self._launcher.launch(revision, lambda: record.idle, checked=checked)
            self._replace(record, name, instance)


@dataclass(frozen=True, slots=True)
class Revival:
    """A new start of a revision, and the pause until the next one."""

    thread: Thread
    pause: timedelta
    begun: float = field(default_factory=monotonic)

    @property
    def over(self) -> bool:
        return self._age() > self.pause and not self.thread.is_alive()

    def longer_pause(self) -> timedelta:
        """The pause after the next start, unless this one has lasted."""
        return ROUND if self._age() > LASTING else min(2 * self.pause, LONGEST_PAUSE)

    def _age(self) -> timedelta:
        return timedelta(seconds=monotonic() - self.begun)
