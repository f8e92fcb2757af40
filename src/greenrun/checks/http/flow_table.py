"""One request of a flow, as a row of a feature's table says it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NoReturn, TypeVar

from greenrun.checks.http import Expectation, read_requests
from greenrun.checks.http.body import FORMS, BodyPromise, read_promise
from greenrun.checks.http.cell_syntax import Unmeant, fields, parts
from greenrun.checks.http.columns import read_time
from greenrun.checks.http.variables import UNIQUE, Values, places
from greenrun.checks.table import Row, Table, rows
from greenrun.model.errors import ReleaseError

T = TypeVar("T")

COLUMNS = ("as", "with", "sends", "status", "headers", "answers", "keeps", "within")
_SHARED = ("request", "as", "sends", "status", "headers")
"""The columns that mean what they mean in every table of endpoints."""

_WHAT = "requests in turn"
_KEPT = re.compile(r"(\S+) as (secret )?([a-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is at a path of the answer is known by a name from then on."""

    path: str
    name: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A request with places for values, and what its answer must be and gives."""

    number: int
    expected: Expectation
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    promises: tuple[str, ...] = ()
    keeps: tuple[Kept, ...] = ()
    within: timedelta | None = None

    def filled(self, values: Values) -> Expectation:
        """What is expected by what is known. Raises ReleaseError where that makes no promise."""
        path = values.in_path(self.expected.path)
        body = tuple(self._promised(values))
        return replace(self.expected.filled(values), path=path, body=body)

    def _promised(self, values: Values) -> Iterator[BodyPromise]:
        for text in self.promises:
            promise = values.in_promise(text)
            try:
                yield read_promise(promise)
            except ValueError as error:
                needs = f"promises: {FORMS}"
                _refuse(self.number, "answers", repr(values.hide(promise)), needs, error)


def read(table: Table) -> tuple[FlowRow, ...]:
    """The rows of a table, in which a place is filled by what an earlier row keeps.

    Raises:
        ReleaseError: a column or a cell that cannot be meant, with its row.
    """
    cells = rows(table, _WHAT, "request", COLUMNS)
    shared = [_SHARED, *([row[column] for column in _SHARED] for row in cells)]
    expected = read_requests(_WHAT, shared)
    found = tuple(map(_row, range(1, 1 + len(cells)), cells, expected))
    _judge(found, cells)
    return found


def _row(number: int, cells: Row, expected: Expectation) -> FlowRow:
    def said(column: str, read: Callable[[str], T]) -> T:
        try:
            return read(cells[column])
        except Unmeant as needs:
            _refuse(number, column, repr(needs.got or cells[column]), str(needs), needs)

    return FlowRow(
        number=number,
        expected=expected,
        headers=said("with", fields),
        promises=parts(cells["answers"]),
        keeps=said("keeps", _keeps),
        within=said("within", read_time),
    )


def _judge(found: Sequence[FlowRow], cells: Sequence[Row]) -> None:
    """Every place is filled by then, and what is then promised can be meant."""
    known = Values({UNIQUE: "0"})
    for row, said in zip(found, cells, strict=True):
        wanted = {column: places(said[column]) for column in ("request", "with", "answers")}
        for column, names in {**wanted, "sends": row.expected.sends.places}.items():
            if missing := set(names) - known.known.keys():
                needs = f"what an earlier row keeps, or one of: {', '.join(known.known)}"
                _refuse(row.number, column, f"a place for {', '.join(sorted(missing))}", needs)
        row.filled(known)
        for kept in row.keeps:
            known.keep(kept.name, 0)


def _keeps(cell: str) -> tuple[Kept, ...]:
    return tuple(map(_kept, parts(cell)))


def _kept(text: str) -> Kept:
    said = _KEPT.fullmatch(text)
    if said is None:
        raise Unmeant("`PATH as name` or `PATH as secret name`", got=text)
    return Kept(said[1], said[3], secret=bool(said[2]))


def _refuse(
    number: int, column: str, got: str, needs: str, reason: Exception | None = None
) -> NoReturn:
    raise ReleaseError(
        f"table of {_WHAT}, row {number}: {column}: got {got}, needs {needs}"
    ) from reason
