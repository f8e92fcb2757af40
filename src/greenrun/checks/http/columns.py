"""What the cells of a table can say, column by column."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache, partial
from typing import TypeVar

from greenrun.checks.http import body, headers
from greenrun.checks.http.cell_syntax import Unmeant, parts
from greenrun.checks.http.expectation import Limit
from greenrun.checks.http.request_body import read_sending

T = TypeVar("T")

PERCENTS = (50, 95, 99)
MOST_REQUESTS = 10_000

_REQUEST = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/\S*)")
_STATUSES = re.compile(r"[1-5]\d\d( or [1-5]\d\d)*")
_TIME = re.compile(r"(\d+(?:\.\d+)?) (ms|s)", re.ASCII)
_UNITS = {"ms": timedelta(milliseconds=1), "s": timedelta(seconds=1)}
_COUNT = re.compile(r"\d{1,5}", re.ASCII)
_FILE = re.compile(r"(?!/)\S+\.json")


def _request(cell: str) -> tuple[str, str]:
    if said := _REQUEST.fullmatch(cell):
        return said[1], said[2]
    raise Unmeant("a method and a path, such as GET /api/health")


def _identity(cell: str) -> str:
    return cell or "a user"


def _statuses(cell: str) -> tuple[int, ...]:
    if not _STATUSES.fullmatch(cell or "200"):
        raise Unmeant("a status such as 200, or several such as 401 or 403")
    return tuple(map(int, (cell or "200").split(" or ")))


@lru_cache(maxsize=1024)  # rows repeat their cells
def _promises(read: Callable[[str], T], forms: str, cell: str) -> tuple[T, ...]:
    try:
        return tuple(map(read, parts(cell)))
    except ValueError as error:
        raise Unmeant(forms, got=str(error)) from error


def _schema(cell: str) -> str:
    if cell and not _FILE.fullmatch(cell):
        raise Unmeant("a file beside the features, such as schemas/costs.json")
    return cell


def read_time(cell: str) -> timedelta | None:
    """`100 ms` or `1.5 s`; None where the cell is empty. Raises Unmeant for anything else."""
    if not cell:
        return None
    said = _TIME.fullmatch(cell)
    if said is None or not (time := float(said[1]) * _UNITS[said[2]]):
        raise Unmeant("a time such as 100 ms or 1.5 s")
    return time


def _limit(percent: int, cell: str) -> Limit | None:
    time = read_time(cell)
    return Limit(percent, time) if time else None


def _requests(cell: str) -> int | None:
    if not cell:
        return None
    if not _COUNT.fullmatch(cell) or not 1 <= int(cell) <= MOST_REQUESTS:
        raise Unmeant(f"a number from 1 to {MOST_REQUESTS}")
    return int(cell)


LIMITS = {percent: f"p{percent} at most" for percent in PERCENTS}
READERS: Mapping[str, Callable[[str], object]] = {
    "request": _request,
    "as": _identity,
    "sends": read_sending,
    "status": _statuses,
    "headers": partial(_promises, headers.read_promise, headers.FORMS),
    "body": partial(_promises, body.read_promise, body.FORMS),
    "schema": _schema,
    **{column: partial(_limit, percent) for percent, column in LIMITS.items()},
    "requests": _requests,
}
"""Every column, in the order that a message lists them. An empty cell is the default."""
