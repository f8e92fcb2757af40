"""Reads the table `the candidate answers`, and says of every cell that cannot be meant why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from greenrun.errors import ReleaseError
from greenrun.expectations.cells import LIMITS, READERS, Unmeant
from greenrun.expectations.expectation import Expectation

COLUMNS = tuple(READERS)

_WHERE = "table of endpoints"
_ENOUGH = {50: 20, 95: 20, 99: 100}
"""Requests where the table says nothing: as few as let a percentile differ from the slowest."""


def read_table(rows: Sequence[Sequence[str]]) -> tuple[Expectation, ...]:
    """The expectations of a table whose first row names its columns; empty cells default.

    Raises:
        ReleaseError: columns or cells that cannot be meant, all of them at once, with their row.
    """
    head, *body = rows or ((),)
    _judge_head(head)
    if not body:
        raise ReleaseError(f"{_WHERE}: got no row, needs at least one")
    read = [(number, _Row(head, row)) for number, row in enumerate(body, start=1)]
    if faults := [f"{_WHERE}, row {number}: {text}" for number, row in read for text in row.faults]:
        raise ReleaseError("\n".join(faults))
    return tuple(row.expectation() for _, row in read)


def _judge_head(head: Sequence[str]) -> None:
    if "request" not in head or not set(head) <= set(COLUMNS):
        raise ReleaseError(
            f"{_WHERE}: got columns {', '.join(head) or 'none'}, needs request and any of "
            f"{', '.join(COLUMNS[1:])}"
        )
    if twice := [name for name in COLUMNS if head.count(name) > 1]:
        raise ReleaseError(f"{_WHERE}: got {', '.join(twice)} twice, needs each column once")


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
