"""Many runs at a time, until they are done or the time is up."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic
from typing import TypeVar

_AT_ONCE = 10
"""Most of a run is waiting."""

Case = TypeVar("Case")
Result = TypeVar("Result")


def run(
    attempt: Callable[[Case], Result], cases: Sequence[Case], within: timedelta = timedelta.max
) -> Iterator[Result]:
    """The results, in the order of the cases; none is begun once the time is up."""
    begun, seconds = monotonic(), within.total_seconds()

    def attempted(case: Case) -> Result | None:
        return attempt(case) if monotonic() - begun < seconds else None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for result in pool.map(attempted, cases):
            if result is not None:
                yield result
