"""Trying again: how often in vain, and after which pauses."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

_FIRST, _LONGEST = timedelta(seconds=1), timedelta(seconds=16)


def growing(tries: int) -> Iterator[timedelta]:
    """The pauses between so many tries, from 1 s doubling up to 16 s."""
    return islice(_doubling(), tries - 1)


def _doubling() -> Iterator[timedelta]:
    pause = _FIRST
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST)
