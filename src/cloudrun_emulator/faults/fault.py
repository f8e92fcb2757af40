"""One fault: in force from when it is added until it is lifted, striking when its trigger says."""

from collections.abc import Callable
from datetime import timedelta
from fnmatch import fnmatchcase
from threading import Event, Lock
from time import monotonic
from types import TracebackType
from typing import Generic, Self, TypeVar

from cloudrun_emulator.core.resource_names import short

Clock = Callable[[], float]
"""Seconds since whenever, never backwards."""


Rule = Callable[[int, timedelta], bool]
"""Given the number of this time, from 1, and the time since the first: whether it strikes."""


def always() -> Rule:
    return lambda _time, _since: True


def first(times: int) -> Rule:
    return lambda time, _since: time <= times


def only(wanted: int) -> Rule:
    """The first time is 1."""
    return lambda time, _since: time == wanted


def during(window: timedelta) -> Rule:
    """From the first time that it strikes."""
    return lambda _time, since: since <= window


class Trigger:
    """Counts the times that come, and those of them that are struck."""

    def __init__(self, rule: Rule, clock: Clock = monotonic) -> None:
        self._rule = rule
        self._clock = clock
        self._lock = Lock()
        self._times = 0
        self._struck = 0
        self._begun = 0.0

    def fires(self) -> bool:
        """Count one more; whether it is struck."""
        with self._lock:
            now = self._clock()
            self._begun = self._begun if self._times else now
            self._times += 1
            strikes = self._rule(self._times, timedelta(seconds=now - self._begun))
            self._struck += strikes
            return strikes

    @property
    def struck(self) -> int:
        return self._struck


Effect = TypeVar("Effect", covariant=True)  # noqa: PLC0105 - a fault is never asked to take one


class Fault(Generic[Effect]):
    """An effect, the subjects that it meets (glob patterns), and the trigger.

    As a context manager it is lifted at the end.
    """

    def __init__(
        self, text: str, subject: tuple[str, ...], effect: Effect, trigger: Trigger
    ) -> None:
        self.subject = subject
        self.effect = effect
        self._text = text
        self._trigger = trigger
        self._lifted = Event()

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Fault({self._text!r}, struck={self.struck})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.lift()

    @property
    def struck(self) -> int:
        """How many times it has struck."""
        return self._trigger.struck

    @property
    def lifted(self) -> bool:
        return self._lifted.is_set()

    def lift(self) -> None:
        """Strike nobody any more, and let go of whatever it holds. Idempotent."""
        self._lifted.set()

    def strikes(self, *names: str) -> bool:
        """Count one more time, and return whether it strikes what has these names."""
        return not self.lifted and self._concerns(names) and self._trigger.fires()

    def hold(self, longest: timedelta | None = None) -> bool:
        """Wait so long, or until it is lifted; whether it is."""
        return self._lifted.wait(None if longest is None else longest.total_seconds())

    def _concerns(self, names: tuple[str, ...]) -> bool:
        """Match each pattern with a whole name, or the last part of one."""
        return all(
            fnmatchcase(name, pattern) or fnmatchcase(short(name), pattern)
            for name, pattern in zip(names, self.subject, strict=True)
        )
