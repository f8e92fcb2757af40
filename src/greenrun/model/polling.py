"""Looking again and again at what arrives late: pauses that grow, and a deadline over all of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.interfaces import Clock, Timeout

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between attempts, each `factor` times as long as the one before, up to `longest`."""

    first: timedelta
    longest: timedelta
    factor: float = 2.0

    def __iter__(self) -> Iterator[timedelta]:
        pause = self.first
        while True:
            yield pause
            pause = min(pause * self.factor, self.longest)


LOG_BACKOFF = Backoff(timedelta(milliseconds=100), timedelta(seconds=2))
"""Cloud Logging allows 60 reads a minute in a project.

Source: https://cloud.google.com/logging/quotas
"""

CALL_BACKOFF = Backoff(timedelta(seconds=1), timedelta(seconds=16))
"""Between tries of a call that failed."""

_WAIT_BACKOFF = Backoff(timedelta(milliseconds=10), timedelta(milliseconds=500), 1.1)
_WATCH_INTERVAL = timedelta(seconds=1)


class Deadline:
    """The end of a time that began when this was made; no wall clock moves it."""

    def __init__(self, clock: Clock, within: timedelta) -> None:
        self.within = within
        self._clock = clock
        self._began = clock.monotonic()

    @property
    def elapsed(self) -> timedelta:
        """The time since it was made."""
        return self._clock.monotonic() - self._began

    @property
    def left(self) -> timedelta:
        """The time until the deadline; below zero after it."""
        return self.within - self.elapsed

    def attempts(self, backoff: Backoff) -> Iterator[None]:
        """Yield for each attempt: one at once, more while there is time, the last when it is up."""
        yield
        for pause in backoff:
            if (left := self.left) <= timedelta():
                return
            self._clock.sleep(min(pause, left))
            yield


def polls(clock: Clock, within: timedelta, backoff: Backoff = LOG_BACKOFF) -> Iterator[None]:
    """Yield for each look at something that may take so long to show itself."""
    return Deadline(clock, within).attempts(backoff)


class Wait:
    """One deadline over any number of things that are awaited one after the other.

    Args:
        awaited: completes `waited for ...`.
        timeout: how long all of it may take, from now on, and who watches.
        clock: the time that passes.
    """

    def __init__(self, awaited: str, timeout: Timeout, clock: Clock) -> None:
        self.awaited = awaited
        self._watch = timeout.watch
        self._deadline = Deadline(clock, timeout.within)

    @property
    def left(self) -> timedelta:
        """The time until the deadline; below zero after it."""
        return self._deadline.left

    def until(
        self,
        attempt: Callable[[], _Found | None],
        seen: Callable[[], str],
        hint: Callable[[], str] = str,
    ) -> _Found:
        """Try until there is something; tries are 10 ms apart at first, then up to 500 ms.

        `seen` describes what there is meanwhile, once a second; its last line is in the
        DeadlineExceeded, and so is what to do about it, which `hint` returns.
        """
        watched = self._deadline.elapsed
        for _ in self._deadline.attempts(_WAIT_BACKOFF):
            if (found := attempt()) is not None:
                return found
            if self._deadline.elapsed - watched >= _WATCH_INTERVAL:
                self._watch(f"{self._progress()}: {_described(seen)}")
                watched = self._deadline.elapsed
        raise DeadlineExceeded(
            self.awaited, after=self._deadline.within, last_seen=_described(seen), hint=hint()
        )

    def _progress(self) -> str:
        waited, within = self._deadline.elapsed, self._deadline.within
        return f"{waited.total_seconds():.0f} s of {within.total_seconds():g} s for {self.awaited}"


def _described(seen: Callable[[], str]) -> str:
    """A look that fails is no reason to stop waiting."""
    try:
        return seen()
    except CallFailed as error:
        return error.message
