"""Asks for every row of a table before a deadline: many at a time, what is timed one by one."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from greenrun.checks.http.expectation import Expectation, Responses
from greenrun.model.errors import CallFailed, DeadlineExceeded, ReleaseError
from greenrun.model.interfaces import HttpResponse
from greenrun.model.polling import Deadline

AT_ONCE = 8
"""Requests under way at the same time, none of them timed."""

_LOOK, _BUSY = timedelta(milliseconds=5), 5
"""Another thread joins at a look where each of the others has sent fewer requests since the last.

One that sends more has its hands full: Python runs one thread at a time, and a second one costs
more than it brings where a service answers at once.
"""

WARM_UP = 1
"""Requests ahead of those whose latency counts: a connection opens, a cache fills."""

Ask = Callable[[Expectation, timedelta], HttpResponse]
"""Sends the request of a row, and waits for its answer no longer than that."""


@dataclass(frozen=True, slots=True)
class AskedRow:
    """A row with its answers, or with why it has none: no answer came, or the time was up."""

    row: Expectation
    answers: Responses | None = None
    trouble: ReleaseError | None = None


def ask_rows(rows: Sequence[Expectation], ask: Ask, deadline: Deadline) -> list[AskedRow]:
    """Every row in its place, whatever became of the others.

    Rows with a latency are asked for when the others are done, one request at a time: what is
    measured is the service, and not the crowd that we would be.
    """
    found: dict[int, AskedRow] = {}

    def ask_for(place: int) -> None:
        found[place] = _asked(rows[place], ask, deadline)

    _together(ask_for, (place for place, row in enumerate(rows) if not row.latency))
    for place, row in enumerate(rows):
        if row.latency:
            ask_for(place)
    return [found[place] for place in range(len(rows))]


def _together(do: Callable[[int], None], places: Iterable[int]) -> None:
    """Each of them once, by as many threads as it takes not to wait; an error ends it all."""
    waiting = deque(places)

    def following() -> int | None:
        with suppress(IndexError):
            return waiting.popleft()
        return None

    def work() -> None:
        try:
            while (place := following()) is not None:
                do(place)
        except BaseException:
            waiting.clear()
            raise

    with ThreadPoolExecutor(AT_ONCE) as pool:
        workers = [pool.submit(work)]
        try:
            while waiting and len(workers) < AT_ONCE:
                before = len(waiting)
                wait(workers, _LOOK.total_seconds())
                if before - len(waiting) < _BUSY * len(workers):
                    workers.append(pool.submit(work))
        except BaseException:
            waiting.clear()
            raise
    for worker in workers:
        worker.result()


def _asked(row: Expectation, ask: Ask, deadline: Deadline) -> AskedRow:
    warm_up = WARM_UP if row.latency else 0
    answers: list[HttpResponse] = []
    while len(answers) < warm_up + row.requests:
        try:
            answers.append(_answer(row, ask, deadline))
        except CallFailed as failure:
            return AskedRow(row, trouble=failure)
        except TimeoutError:
            seen = f"{len(answers)} of {warm_up + row.requests}"
            late = DeadlineExceeded(f"answers to {row}", after=deadline.within, last_seen=seen)
            return AskedRow(row, trouble=late)
    return AskedRow(row, Responses(tuple(answers[warm_up:]), tuple(answers[:warm_up])))


def _answer(row: Expectation, ask: Ask, deadline: Deadline) -> HttpResponse:
    """Raises TimeoutError where it was the deadline that no answer came before."""
    left = deadline.left
    if left <= timedelta():
        raise TimeoutError
    try:
        return ask(row, left)
    except CallFailed as failure:
        if deadline.left <= timedelta():
            raise TimeoutError from failure
        raise
