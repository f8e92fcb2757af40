"""Reads the table `the candidate answers`, and says of every cell that cannot be meant why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from greenrun.checks.http.cell_syntax import Unmeant
from greenrun.checks.http.columns import LIMITS, READERS
from greenrun.checks.http.expectation import Expectation
from greenrun.checks.http.variables import UNIQUE
from greenrun.model.errors import ReleaseError

COLUMNS = tuple(READERS)

_ENOUGH = {50: 20, 95: 20, 99: 100}
"""Requests where the table says nothing: as few as let a percentile differ from the slowest."""


def read_table(rows: Sequence[Sequence[str]]) -> tuple[Expectation, ...]:
    """The expectations of a table whose first row names its columns; empty cells default.

    Raises:
        ReleaseError: columns or cells that cannot be meant, all of them at once, with their row.
    """
    found = read_requests("endpoints", rows)
    _refuse_faults("endpoints", map(_unknown_places, found))
    return found


def read_requests(what: str, rows: Sequence[Sequence[str]]) -> tuple[Expectation, ...]:
    """The same of a table of something else, which may have places for any values."""
    head, *body = rows or ((),)
    _judge_head(what, head)
    if not body:
        raise ReleaseError(f"table of {what}: got no row, needs at least one")
    read = [_Row(head, row) for row in body]
    _refuse_faults(what, (row.faults for row in read))
    return tuple(row.expectation() for row in read)


def _judge_head(what: str, head: Sequence[str]) -> None:
    if "request" not in head or not set(head) <= set(COLUMNS):
        raise ReleaseError(
            f"table of {what}: got columns {', '.join(head) or 'none'}, needs request and any of "
            f"{', '.join(COLUMNS[1:])}"
        )
    if twice := [name for name in COLUMNS if head.count(name) > 1]:
        raise ReleaseError(f"table of {what}: got {', '.join(twice)} twice, needs each column once")


def _refuse_faults(what: str, of_rows: Iterable[Iterable[str]]) -> None:
    """Raise all of them in one, where there are any."""
    numbered = enumerate(of_rows, start=1)
    lines = [f"table of {what}, row {number}: {text}" for number, row in numbered for text in row]
    if lines:
        raise ReleaseError("\n".join(lines))


def _unknown_places(row: Expectation) -> Iterator[str]:
    for name in sorted(row.sends.places - {UNIQUE}):
        yield f"sends: got a place for {name}, needs {{{UNIQUE}}} alone: no row waits for another"


class _Row:
    """What the cells of a row say, and what is wrong with them."""

    def __init__(self, head: Sequence[str], row: Sequence[str]) -> None:
        self._said: dict[str, Any] = {}
        if len(row) == len(head):
            cells = dict(zip(head, map(str.strip, row), strict=True))
            self.faults = [*self._wrong_cells(cells), *self._contradictions()]
        else:
            self.faults = [f"got {len(row)} cells, needs {len(head)}"]

    def expectation(self) -> Expectation:
        """Of a row without faults."""
        said = self._said
        method, path = said["request"]
        limits = {percent: said[column] for percent, column in LIMITS.items() if said[column]}
        return Expectation(
            method=method,
            path=path,
            identity=said["as"],
            sends=said["sends"],
            statuses=said["status"],
            headers=said["headers"],
            body=said["body"],
            schema=said["schema"],
            latency=tuple(limits.values()),
            requests=said["requests"] or max((_ENOUGH[percent] for percent in limits), default=1),
        )

    def _wrong_cells(self, cells: Mapping[str, str]) -> Iterator[str]:
        for column, read in READERS.items():
            cell = cells.get(column, "")
            try:
                self._said[column] = read(cell)
            except Unmeant as needs:
                yield f"{column}: got {needs.got or cell!r}, needs {needs}"

    def _contradictions(self) -> Iterator[str]:
        method, _ = self._said.get("request", ("", ""))
        if method == "HEAD" and (self._said.get("body") or self._said.get("schema")):
            yield "request: got HEAD, whose answers have no body, needs GET for promises about one"
