"""What stands around every change: the lock, the journal, and whether somebody else was quicker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from greenrun.model.errors import ConcurrentChange, LockHeld, ReleaseError, described
from greenrun.model.interfaces import Platform, Progress
from greenrun.model.plan import Plan
from greenrun.model.release_state import ReleaseState
from greenrun.model.service import Service
from greenrun.model.traffic import TrafficSplit
from greenrun.release.coordination.journal import Journal, accounted
from greenrun.release.coordination.lock import Lock


class ChangeGuard:
    """Stands around every remote change: the lock is still ours, and the journal knows of it.

    The release state is written twice: into the journal, and onto the lease, from which any other
    machine can finish the release or undo it. `last` is where the release before this one stood.

    Changes of the way forward insist on both. The way back does without: whatever fails of them is
    kept in `failures`, by what could not be done, and told once.
    """

    def __init__(self, journal: Journal, lock: Lock, run: str, progress: Progress) -> None:
        self.journal = journal
        self.lock = lock
        self.run = run
        self.release_state: ReleaseState | None = None
        self.last: ReleaseState | None = None
        self.failures: dict[str, Exception] = {}
        self._progress = progress
        self._noted = 0

    def acquire_lock(self) -> None:
        """Take the lock, and read where the release before this one stood. Raises LockHeld.

        What cannot be read is told, and counts as unknown.
        """
        before = self.lock.acquire(self._progress.report)
        self._note_lease()
        left = before.release_state if before else ""
        try:
            self.last = ReleaseState.from_json(left) if left else None
        except ValueError as error:
            self._keep(f"read what {before} has left", error)

    @contextmanager
    def change(self, action: str, subject: str, **facts: str) -> Iterator[None]:
        """Account for one remote change. Raises LockLost, before it, where it is not ours."""
        self.lock.check()
        self._note_lease()
        with self.journal.change(action, subject, **facts):
            yield

    @contextmanager
    def restoration(self, action: str, subject: str, **facts: str) -> Iterator[None]:
        """Account, as well as can be, for one remote change that brings users back.

        A lock that is gone is taken anew. Raises LockHeld, before the change, where somebody else's
        lease is in force; nothing else of ours stops it.
        """
        try:
            self.lock.reclaim(self.tell)
        except LockHeld:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, users come first
            self._keep("renew the lock", error)
        self.attempt("write the journal", self._note_lease)
        with accounted(self._write_if_possible, action, subject, facts):
            yield

    def attempt(self, what: str, action: Callable[[], object]) -> None:
        """Do what must not stand in front of the way back; `what` completes `could not ...`."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - whatever it is, users come first
            self._keep(what, error)

    def tell(self, text: str) -> None:
        """Report a line of progress, where that is possible."""
        self.attempt("tell of it", lambda: self._progress.report(text))

    def note(self, action: str, subject: str, **facts: str) -> None:
        """Account for something that was found out, and changed nothing."""
        self.journal.note(action, subject, **facts)

    def begin(self, baseline: str, before: Service | None) -> None:
        """Write down what the release found, before it changes anything.

        `before` is None where there is no service, and no baseline then.
        """
        self.write_release_state(
            ReleaseState(
                run=self.run,
                baseline=baseline,
                before=before.actual.pinned(before.latest_ready) if before else TrafficSplit(),
                generation=before.generation if before else 0,
                migrations=self.last.migrations if self.last else (),
            )
        )

    @property
    def known_release_state(self) -> ReleaseState:
        """Where the release stands. Raises ReleaseError before its baseline was found."""
        if self.release_state is None:
            raise ReleaseError(
                "the baseline is not known in this run", hint="run features/ as a whole"
            )
        return self.release_state

    def update_release_state(self, **changes: Any) -> None:  # noqa: ANN401 - as ReleaseState has them
        """Write down that something of the release state has changed, or is about to."""
        self.write_release_state(replace(self.known_release_state, **changes))

    def write_ahead(self, split: TrafficSplit, **changes: Any) -> None:  # noqa: ANN401 - likewise
        """Write down a split that is about to be asked for, and what changes with it."""
        self.write_release_state(replace(self.known_release_state.asking(split), **changes))

    def write_release_state(self, release_state: ReleaseState) -> None:
        """Write down where the release stands, before anything is done that follows from it.

        What cannot be written is known here all the same, so that it can still be undone. Raises
        ReleaseError for what no other release could read, LockLost, and what the journal raises.
        """
        self.release_state = release_state
        try:
            text = release_state.as_json()
        except ValueError as error:
            raise ReleaseError(f"could not write down where the release stands: {error}") from error
        self.lock.write(text)
        self._note_lease()
        self.journal.note("release state", release_state.baseline, release_state=text)

    def journalled_release_state(self, candidate: str) -> ReleaseState | None:
        """Where the journal says that the release of a candidate stood last; None if it cannot."""
        with suppress(OSError, ValueError, ReleaseError):
            for entry in reversed(self.journal.entries()):
                if entry.action == "release state":
                    found = ReleaseState.from_json(entry.facts["release_state"])
                    if found.candidate == candidate:
                        return found
        return None

    def _write_if_possible(self, action: str, subject: str, state: str, **facts: str) -> None:
        write = partial(self.journal.write, action, subject, state, **facts)
        self.attempt("write the journal", write)

    def _keep(self, what: str, error: Exception) -> None:
        if what in self.failures:
            return
        self.failures[what] = error
        with suppress(Exception):
            self._progress.present(f"could not {what}, going on without: {described(error)}")

    def _note_lease(self) -> None:
        """Each number once: a lease that lapsed goes on under the next."""
        lease = self.lock.lease
        if lease and lease.number != self._noted:
            self.journal.note("lease", str(lease))
            self._noted = lease.number


@dataclass(slots=True)
class DriftGuard:
    """Remembers the service as the last change left it; each further change rests on that."""

    plan: Plan
    platform: Platform
    _last_seen: Service | None = None

    @property
    def last_seen(self) -> Service:
        """The service as this release left it. Raises ReleaseError before it was looked at."""
        if self._last_seen is None:
            raise ReleaseError(
                "the baseline is not known in this run", hint="run features/ as a whole"
            )
        return self._last_seen

    def remember(self, reading: Service) -> Service:
        """Take a reading, or the outcome of a change, as what everything further rests on."""
        self._last_seen = reading
        return reading

    def check_unchanged(self) -> None:
        """Look again; an older reading than ours is only stale.

        Raises:
            ConcurrentChange: telling who changed what, and when.
        """
        last, found = self.last_seen, self.platform.service()
        if found is None:
            raise ConcurrentChange(f"{self.plan.service} was deleted by somebody")
        stale = found.generation < last.generation
        same = found.generation == last.generation and found.wanted.matches(last.wanted)
        if not (stale or same):
            raise _drift(last, found)


def _drift(last: Service, found: Service) -> ConcurrentChange:
    who = found.changed_by or "somebody"
    when = f" at {found.changed_at}" if found.changed_at else ""
    return ConcurrentChange(
        f"{last.name} was changed by {who}{when}: got generation {found.generation} with "
        f"{found.wanted}, needs generation {last.generation} with {last.wanted}, as this release "
        "left it",
        hint=f"speak with {who}, then release again: nothing of theirs was overwritten",
    )
