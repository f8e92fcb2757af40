"""Waiting for a condition, never without end."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")

_POLL = 0.002


def until(condition: Callable[[], T], timeout: timedelta, awaited: str) -> T:
    """The first value of `condition` that is true; raise TimeoutError, which names `awaited`."""
    deadline = time.monotonic() + timeout.total_seconds()
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"waited {timeout.total_seconds():g} s for {awaited}; last seen: {value!r}"
            )
        time.sleep(_POLL)
    return value
