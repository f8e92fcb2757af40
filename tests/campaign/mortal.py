"""A journal at whose Nth entry its writer dies."""

from collections.abc import Callable
from pathlib import Path

from greenrun.model.interfaces import Clock
from greenrun.release.coordination.journal import Journal


class Killed(BaseException):
    """The process is no more: nothing of ours may clean up after it."""


class MortalJournal(Journal):
    """Calls `die` once so many entries are written; what died writes nothing more.

    With 0 entries its writer lives. `die` may return or raise: it is called again at any entry
    that should still be written.
    """

    def __init__(self, path: Path, clock: Clock, entries: int, die: Callable[[], None]) -> None:
        super().__init__(path, clock)
        self._left = entries or -1
        self._die = die

    def write(self, action: str, subject: str, state: str, **facts: str) -> None:
        if self._left:
            super().write(action, subject, state, **facts)
            self._left -= 1
        if not self._left:
            self._die()
