"""The table of endpoints: a request a row, and what its answers must keep."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, TypeVar

from greenrun.checks.http.cells import UNIQUE, parts, read_request_body
from greenrun.checks.http.documents import read_schema
from greenrun.checks.http.expectation import Expectation, Limit
from greenrun.checks.http.promises import (
    BODY_FORMS,
    HEADER_FORMS,
    read_body_promise,
    read_header_promise,
)
from greenrun.checks.table import Cells, Column, Fault, TableForm, Unmeant
from greenrun.model.plan import NEVER_ARRIVES, USER

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
    return cell or USER


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


def _latency(percent: int, cell: str) -> Limit | None:
    time = read_time(cell)
    return Limit(percent, time) if time else None


def _requests(cell: str) -> int | None:
    if not cell:
        return None
    if not _COUNT.fullmatch(cell) or not 1 <= int(cell) <= MOST_REQUESTS:
        raise Unmeant(f"a number from 1 to {MOST_REQUESTS}")
    return int(cell)


_LATENCIES = {percent: f"p{percent} at most" for percent in PERCENTS}
_ENOUGH = {50: 20, 95: 20, 99: 100}
"""Requests where the table says nothing: as few as let a percentile differ from the slowest."""

REQUEST = (
    Column("request", _request, required=True),
    Column("as", _identity),
    Column("sends", read_request_body),
    Column("status", _statuses),
    Column("headers", partial(_promises, read_header_promise, HEADER_FORMS)),
)
"""The columns that mean the same in every table of requests."""


def _expectation(cells: Cells, _: int) -> Expectation:
    limits = {percent: cells[column] for percent, column in _LATENCIES.items() if cells[column]}
    enough = max((_ENOUGH[percent] for percent in limits), default=1)
    return expected(
        cells,
        body=cells["body"],
        schema=cells["schema"],
        latency=tuple(limits.values()),
        requests=cells["requests"] or enough,
    )


def expected(cells: Cells, **more: Any) -> Expectation:  # noqa: ANN401 - fields of an expectation
    """What the cells of REQUEST expect, and more."""
    method, path = cells["request"]
    return Expectation(
        method=method,
        path=path,
        identity=cells["as"],
        sends=cells["sends"],
        statuses=cells["status"],
        headers=cells["headers"],
        **more,
    )


def never_arrives(row: Expectation, number: int) -> Iterator[Fault]:
    """Tell a path whose request no container sees, unless the answer to it is expected."""
    if row.path.partition("?")[0] in NEVER_ARRIVES and 404 not in row.statuses:
        text = f"got {row.path}, which Google's front end answers with 404 on run.app"
        yield Fault(f"request: {text}, needs another path", number, "request")


def _contradictions(rows: Sequence[Expectation]) -> Iterator[Fault]:
    for number, row in enumerate(rows, 1):
        yield from never_arrives(row, number)
        if row.method == "HEAD" and (row.body or row.schema):
            text = "got HEAD, whose answers have no body, needs GET for promises about one"
            yield Fault(f"request: {text}", number, "request")
        for name in sorted(row.sends.places - {UNIQUE}):
            needs = f"{{{UNIQUE}}} alone: no row waits for another"
            yield Fault(f"sends: got a place for {name}, needs {needs}", number, "sends")


ENDPOINTS = TableForm(
    "endpoints",
    (
        *REQUEST,
        Column("body", partial(_promises, read_body_promise, BODY_FORMS)),
        Column("schema", _schema, check=read_schema),
        *(Column(name, partial(_latency, percent)) for percent, name in _LATENCIES.items()),
        Column("requests", _requests),
    ),
    _expectation,
    _contradictions,
)
