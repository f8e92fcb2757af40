"""One request of a flow, as a row of a feature's table says it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NoReturn

from greenrun.errors import ReleaseError
from greenrun.expectations import Expectation, read_table
from greenrun.expectations.body import FORMS, BodyPromise, read_promise
from greenrun.proofs.tables import Row, Table, quantity, rows
from greenrun.proofs.values import Values, places, written

COLUMNS = ("as", "with", "sends", "status", "headers", "answers", "keeps", "within")
_SHARED = ("request", "as", "status", "headers")
"""The columns that mean what they mean in every table of endpoints."""

UNIQUE = "unique"
"""The name of a value that no other flow has."""

_WHAT = "requests in turn"
_PARTS = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^;"]|"(?![^"]*"))+')
_KEPT = re.compile(r"(\S+) as (secret )?([a-z_]\w*)")
_FILE = re.compile(r"(\w+) as ([\w.-]+)(?= = |$)")
_UNITS = {"ms": timedelta(milliseconds=1), "s": timedelta(seconds=1)}


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
    sends: object = None
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    promises: tuple[str, ...] = ()
    keeps: tuple[Kept, ...] = ()
    within: timedelta | None = None

    def filled(self, values: Values) -> Expectation:
        """What is expected by what is known. Raises ReleaseError where that makes no promise."""
        path = values.in_path(self.expected.path)
        return replace(self.expected, path=path, body=tuple(self._promised(values)))

    def _promised(self, values: Values) -> Iterator[BodyPromise]:
        for text in self.promises:
            promise = values.in_promise(text)
            try:
                yield read_promise(promise)
            except ValueError as error:
                _refuse(self.number, "answers", values.hide(promise), f"promises: {FORMS}", error)


def read(table: Table) -> tuple[FlowRow, ...]:
    """The rows of a table, in which a place is filled by what an earlier row keeps.

    Raises:
        ReleaseError: a column or a cell that cannot be meant, with its row.
    """
    cells = rows(table, _WHAT, "request", COLUMNS)
    shared = read_table([_SHARED, *([row[column] for column in _SHARED] for row in cells)])
    found = tuple(map(_row, range(1, 1 + len(cells)), cells, shared))
    _judge(found, cells)
    return found


def _row(number: int, cells: Row, expected: Expectation) -> FlowRow:
    files = _files(number, cells["sends"])
    return FlowRow(
        number=number,
        expected=expected,
        headers=dict(_fields(number, "with", cells["with"])),
        sends=None if files else _document(number, cells["sends"]),
        files=files,
        promises=tuple(_parts(cells["answers"])),
        keeps=tuple(_kept(number, text) for text in _parts(cells["keeps"])),
        within=_time(number, cells["within"]),
    )


def _judge(found: Sequence[FlowRow], cells: Sequence[Row]) -> None:
    """Every place is filled by then, and what is then promised can be meant."""
    known = Values({UNIQUE: "0"})
    for row, said in zip(found, cells, strict=True):
        for column in ("request", "with", "sends", "answers"):
            if missing := set(places(said[column])) - known.known.keys():
                names = ", ".join(sorted(missing))
                needs = f"what an earlier row keeps, or one of: {', '.join(known.known)}"
                _refuse(row.number, column, f"a place for {names}", needs)
        row.filled(known)
        for kept in row.keeps:
            known.keep(kept.name, 0)


def _parts(cell: str) -> list[str]:
    """What stands between semicolons, unless these stand in quotes."""
    return [part for found in _PARTS.findall(cell) if (part := found.strip())]


def _fields(number: int, column: str, cell: str) -> Iterator[tuple[str, str]]:
    for part in _parts(cell):
        name, sign, value = part.partition(" = ")
        if not sign or not name.strip() or not value.strip():
            _refuse(number, column, part, "`NAME = VALUE`, several between semicolons")
        yield name.strip(), value.strip()


def _document(number: int, cell: str) -> object:
    """JSON as it is, or an object of fields; a value that is no JSON is text."""
    if not cell:
        return None
    if cell[0] in "{[":
        try:
            return json.loads(cell)
        except ValueError as error:
            _refuse(number, "sends", cell, "JSON, with places in quotes, or `NAME = VALUE`", error)
    return {name: _value(text) for name, text in _fields(number, "sends", cell)}


def _files(number: int, cell: str) -> Mapping[str, tuple[str, str]]:
    """The files of a form, by field: their names and texts. Empty where the cell sends JSON."""
    if not _FILE.match(cell):
        return {}
    found = {}
    for name, text in _fields(number, "sends", cell):
        said = _FILE.fullmatch(name)
        if said is None:
            _refuse(number, "sends", name, "files alone, each as `FIELD as FILE = TEXT`")
        found[said[1]] = (said[2], written(_value(text)))
    return found


def _value(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def _kept(number: int, text: str) -> Kept:
    said = _KEPT.fullmatch(text)
    if said is None:
        _refuse(number, "keeps", text, "`PATH as name` or `PATH as secret name`")
    return Kept(said[1], said[3], secret=bool(said[2]))


def _time(number: int, cell: str) -> timedelta | None:
    if not cell:
        return None
    limit = quantity(cell)
    if limit.unit not in _UNITS or limit.value <= 0:
        _refuse(number, "within", cell, "a time like `100 ms` or `1 s`")
    return limit.value * _UNITS[limit.unit]


def _refuse(
    number: int, column: str, got: str, needs: str, reason: Exception | None = None
) -> NoReturn:
    raise ReleaseError(
        f"table of {_WHAT}, row {number}, {column}: got {got!r}, needs {needs}"
    ) from reason
