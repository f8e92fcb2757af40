"""When a fault strikes, of all the times that it could."""

from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from time import monotonic

Clock = Callable[[], float]
"""Seconds since whenever, never backwards."""

Rule = Callable[[int, timedelta], bool]
"""Of how many times it could have struck, this one counted, and the time since the first."""


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

    def comes(self) -> bool:
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
