"""Instances that die while they serve are started again, as the platform does."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Thread
from time import monotonic

from google.cloud import run_v2

from cloudrun_emulator.apis.run.services.launcher import Launcher, LaunchFailed
from cloudrun_emulator.apis.run.services.reconciler import Reconciler
from cloudrun_emulator.apis.run.services.store import ServiceRecord, Store
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import short

ROUND = timedelta(milliseconds=200)
LONGEST_PAUSE = timedelta(seconds=10)
LASTING = timedelta(minutes=1)


class Supervisor:
    """Looks after every revision that has an instance; its routes answer 503 in between.

    A revision that dies again and again is started after pauses that double.
    """

    def __init__(self, store: Store, launcher: Launcher, rollouts: Reconciler) -> None:
        self._store = store
        self._launcher = launcher
        self._rollouts = rollouts
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
        with suppress(LaunchFailed):  # the next round finds it dead still
            instance = self._launcher.launch(revision, lambda: record.idle)
            self._rollouts.replace(record, short(revision.name), instance)


@dataclass(frozen=True, slots=True)
class Revival:
    """One new start of a revision, and how long to leave it alone afterwards."""

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
