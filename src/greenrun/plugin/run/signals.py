"""SIGINT, SIGTERM and SIGHUP end a release in its running sentence, never what puts things back."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

import pytest

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The running sentence was told to end. Not an Exception, so that no retry swallows it."""


@dataclass
class Interruption:
    """Answers the signals while features run.

    The first one raises Interrupted in the running sentence; pytest then tears everything down, and
    any further one is only told of.
    """

    session: pytest.Session
    say: Callable[[str], None]
    cause: str = ""
    _breakable: bool = False
    _before: dict[signal.Signals, object] = field(default_factory=dict)

    def listen(self) -> None:
        """Take over the signals, once; one that is ignored, as `nohup` does, stays ignored."""
        for number in SIGNALS:
            if number not in self._before and signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._hear)

    def stop_listening(self) -> None:
        """Give the signals back."""
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # what signal() itself returned
        self._before.clear()

    @contextmanager
    def breakable(self) -> Iterator[None]:
        """Let a signal break what runs in here."""
        self._breakable = True
        try:
            yield
        finally:
            self._breakable = False

    def _hear(self, number: int, _: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self.cause:
            self.say(f"{name} again: putting back what was begun, this is not cut short")
            return
        self.cause = name
        self.session.shouldstop = name
        self.say(f"{name}: the release ends here, putting back what was begun")
        if self._breakable:
            self._breakable = False
            raise Interrupted(f"interrupted by {name}")
