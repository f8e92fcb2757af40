"""One fault: in force from when it is added until it is lifted."""

from datetime import timedelta
from fnmatch import fnmatchcase
from threading import Event
from types import TracebackType
from typing import Generic, Self, TypeVar

from cloudrun_emulator.core.resource_names import short
from cloudrun_emulator.faults.triggers import Trigger

Effect = TypeVar("Effect", covariant=True)  # noqa: PLC0105 - a fault is never asked to take one


class Fault(Generic[Effect]):
    """What goes wrong (`effect`), with what (`subject`, glob patterns), and when.

    As a context manager it is lifted at the end.
    """

    def __init__(
        self, text: str, subject: tuple[str, ...], effect: Effect, occasion: Trigger
    ) -> None:
        self.subject = subject
        self.effect = effect
        self._text = text
        self._occasion = occasion
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
        """How often it was met."""
        return self._occasion.struck

    @property
    def lifted(self) -> bool:
        return self._lifted.is_set()

    def lift(self) -> None:
        """Strike nobody any more, and let go of whatever it holds. Idempotent."""
        self._lifted.set()

    def strikes(self, *names: str) -> bool:
        """Whether it befalls what has these names, this time; each time counts."""
        return not self.lifted and self._concerns(names) and self._occasion.comes()

    def hold(self, longest: timedelta | None = None) -> bool:
        """Wait so long, or until it is lifted; whether it is."""
        return self._lifted.wait(None if longest is None else longest.total_seconds())

    def _concerns(self, names: tuple[str, ...]) -> bool:
        """A pattern means a whole name, or the last part of one."""
        return all(
            fnmatchcase(name, pattern) or fnmatchcase(short(name), pattern)
            for name, pattern in zip(names, self.subject, strict=True)
        )
