"""Waiting for something remote, with a deadline, while somebody watches."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.interfaces import Clock, Timeout

_Found = TypeVar("_Found")

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=10), timedelta(milliseconds=500)
_GROWTH = 1.1
_TOLD_EVERY = timedelta(seconds=1)


class Wait:
    """One deadline over any number of things that are awaited one after the other.

    Args:
        awaited: completes `waited for ...`.
        patience: how long all of it may take, from now on, and who watches.
        clock: the time that passes.
    """

    def __init__(self, awaited: str, timeout: Timeout, clock: Clock) -> None:
        self._awaited = awaited
        self._patience = timeout
        self._clock = clock
        self._began = clock.now()
        self._ends = self._began + timeout.within

    def goes_on(self, awaited: str) -> None:
        """Something else is awaited from now on, under the same deadline."""
        self._awaited = awaited

    @property
    def left(self) -> timedelta:
        """The time until the deadline; below zero after it."""
        return self._ends - self._clock.now()

    def until(
        self,
        attempt: Callable[[], _Found | None],
        seen: Callable[[], str],
        hint: Callable[[], str] = str,
    ) -> _Found:
        """Try until there is something; tries are 10 ms apart at first, then up to 500 ms.

        `seen` tells what there is meanwhile, once a second; what it told last is in the
        DeadlineExceeded, with what to do about it, which `hint` tells.
        """
        pause, told = _FIRST_PAUSE, self._clock.now()
        while (found := attempt()) is None:
            now = self._clock.now()
            if now >= self._ends:
                raise DeadlineExceeded(
                    self._awaited,
                    after=self._patience.within,
                    last_seen=_look(seen),
                    hint=hint(),
                )
            if now - told >= _TOLD_EVERY:
                self._patience.watch(self._line(now, _look(seen)))
                told = now
            self._clock.sleep(min(pause, self._ends - now))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)
        return found

    def _line(self, now: datetime, seen: str) -> str:
        waited, within = now - self._began, self._patience.within
        return (
            f"{waited.total_seconds():.0f} s of {within.total_seconds():g} s "
            f"for {self._awaited}: {seen}"
        )


def _look(seen: Callable[[], str]) -> str:
    """A look that fails is no reason to stop waiting."""
    try:
        return seen()
    except CallFailed as error:
        return error.message
