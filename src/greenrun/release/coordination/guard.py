"""The account that a release gives of itself: on this machine's disk, and where others see it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces import Progress
from greenrun.model.release_state import ReleaseState
from greenrun.model.service import Service
from greenrun.model.traffic import TrafficSplit
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock

UNREADABLE = "put the service in order by hand, then delete the Cloud Run job of that lock"
"""What to do about a claim that does not tell where its release stands."""


class ChangeGuard:
    """Stands around every remote change: the lock is still ours, and the journal knows of it.

    Where the release stands is written twice: into the journal, and onto the claim, from which any
    other machine can finish it or undo it. `last` is where the release before this one stood.
    """

    def __init__(self, journal: Journal, lock: Lock, run: str) -> None:
        self.journal = journal
        self.lock = lock
        self.run = run
        self.release_state: ReleaseState | None = None
        self.last: ReleaseState | None = None
        self._noted = 0

    def acquire_lock(self, progress: Progress) -> None:
        """Take the lock. Raises LockHeld, or ReleaseError where what was left cannot be read."""
        before = self.lock.take(progress)
        self._note_lease()
        left = before.release_state if before else ""
        try:
            self.last = ReleaseState.from_json(left) if left else None
        except ValueError as error:
            self.lock.release()
            raise ReleaseError(
                f"could not read what {before} has left: {error}", hint=UNREADABLE
            ) from error

    @contextmanager
    def change(self, action: str, subject: str, **facts: str) -> Iterator[None]:
        """Account for one remote change. Raises LockLost, before it, where it is not ours."""
        self.lock.check()
        self._note_lease()
        with self.journal.change(action, subject, **facts):
            yield

    def note(self, action: str, subject: str, **facts: str) -> None:
        """Account for something that was found out, and changed nothing."""
        self.journal.note(action, subject, **facts)

    def begin(self, baseline: str, before: Service) -> None:
        """Write down what the release found, before it changes anything."""
        self.write_release_state(
            ReleaseState(
                run=self.run,
                baseline=baseline,
                before=before.actual.pinned(before.latest_ready),
                generation=before.generation,
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

    def update_release_state(self, **changes: Any) -> None:  # noqa: ANN401 - as Standing has them
        """Write down that something of the standing has changed, or is about to."""
        self.write_release_state(replace(self.known_release_state, **changes))

    def ask(self, split: TrafficSplit, **changes: Any) -> None:  # noqa: ANN401 - likewise
        """Write down a split that is about to be asked for, and what changes with it."""
        self.write_release_state(replace(self.known_release_state.ask(split), **changes))

    def write_release_state(self, release_state: ReleaseState) -> None:
        """Write down where the release stands, before anything is done that follows from it.

        What cannot be written is known here all the same, so that it can still be undone.
        """
        self.release_state = release_state
        self.lock.write(release_state.as_json())
        self._note_lease()
        self.journal.note(
            "release state", release_state.baseline, release_state=release_state.as_json()
        )

    def _note_lease(self) -> None:
        """Each number once: a claim that lapsed goes on under the next."""
        lease = self.lock.lease
        if lease and lease.number != self._noted:
            self.journal.note("claim", str(lease))
            self._noted = lease.number
