"""Time: stamps of Google's messages, durations as people type them, and waiting with a deadline."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp


def utc_now() -> datetime:
    return datetime.now(UTC)


def now() -> Timestamp:
    return stamp(utc_now())


def stamp(time: datetime) -> Timestamp:
    """`time` must be aware; microseconds are kept."""
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp


UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"}
DURATION = rf"\d{{1,6}}(?:\.\d{{1,6}})?(?:{'|'.join(UNITS)})"
_PARTS = re.compile(rf"([\d.]+)({'|'.join(UNITS)})")


def parse_duration(text: str) -> timedelta:
    """Raise ValueError for anything but a number and a unit."""
    match = _PARTS.fullmatch(text) if re.fullmatch(DURATION, text) else None
    if match is None:
        raise ValueError(f"{text!r} needs a number and one of {', '.join(UNITS)}")
    return timedelta(**{UNITS[match[2]]: float(match[1])})


T = TypeVar("T")

_POLL = 0.002


def wait_until(condition: Callable[[], T | None], timeout: timedelta, awaited: str) -> T:
    """The first value of `condition` that is true; raise TimeoutError, which names `awaited`."""
    deadline = time.monotonic() + timeout.total_seconds()
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"waited {timeout.total_seconds():g} s for {awaited}; last seen: {value!r}"
            )
        time.sleep(_POLL)
    return value
