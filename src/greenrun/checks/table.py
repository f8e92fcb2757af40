"""Tables of a feature: each is declared by its columns and what a row makes, and read here."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Any, Generic, TypeVar

from greenrun.model.errors import ReleaseError
from greenrun.model.objective import Quantity

T = TypeVar("T")

Table = Sequence[Sequence[str]]
"""Rows of cells, the head first."""

Cells = Mapping[str, Any]
"""What the cells of a row say, by their columns."""


class Unmeant(ValueError):
    """A cell, or the part of it that `got` quotes, cannot be meant; the text is what it needs."""

    def __init__(self, needs: str, got: str = "") -> None:
        super().__init__(needs)
        self.got = got


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a table: in a row (from 1 on; 0 is the head) and a column, if in one."""

    text: str
    row: int = 0
    column: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. One that is not required may be left out, and reads as empty cells.

    `read` makes a value of a cell, or raises Unmeant. `check` judges the value by the files of
    the folder where the feature is, or raises ReleaseError.
    """

    name: str
    read: Callable[[str], object] = str
    required: bool = False
    check: Callable[[Path, Any], object] | None = None


def _nothing(_: Sequence[object]) -> Iterable[Fault]:
    return ()


@dataclass(frozen=True, slots=True)
class TableForm(Generic[T]):
    """How a table of something is read.

    `make` gets the cells of a row, and its number from 1 on; it raises Unmeant for cells that
    cannot be meant together. `judge` says what is wrong with rows of which each can be meant.
    """

    what: str
    columns: Sequence[Column]
    make: Callable[[Cells, int], T]
    judge: Callable[[Sequence[T]], Iterable[Fault]] = _nothing

    def __repr__(self) -> str:
        return f"<table of {self.what}>"

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, in the order that messages list them."""
        return tuple(column.name for column in self.columns)

    def read(self, table: Table) -> tuple[T, ...]:
        """What the rows make.

        Raises:
            ReleaseError: columns or cells that cannot be meant, all at once, with their row.
        """
        rows, faults = self._examine(table)
        if faults:
            raise ReleaseError("\n".join(map(self._told, faults)))
        return rows

    def faults(self, table: Table, folder: Path) -> Sequence[Fault]:
        """Everything that is wrong with a table of a feature in a folder."""
        _, faults = self._examine(table)
        return faults or list(self._missing_beside(table, folder))

    def _examine(self, table: Table) -> tuple[tuple[T, ...], list[Fault]]:
        head, *body = table or ((),)
        if faults := list(self._wrong_head(head)):
            return (), faults
        if not body:
            return (), [Fault("got no row, needs at least one")]
        numbered = [(number, list(map(str.strip, row))) for number, row in enumerate(body, 1)]
        faults = [fault for number, row in numbered for fault in self._wrong_row(head, row, number)]
        if faults:
            return (), faults
        made: list[T] = []
        for number, row in numbered:
            try:
                made.append(self.make(self._cells(head, row), number))
            except Unmeant as needs:
                faults.append(Fault(f"got {needs.got}, needs {needs}", number))
        rows = tuple(made)
        return rows, faults or list(self.judge(rows))

    def _wrong_head(self, head: Sequence[str]) -> Iterator[Fault]:
        required = [column.name for column in self.columns if column.required]
        optional = [column.name for column in self.columns if not column.required]
        if not set(required) <= set(head) <= set(self.names):
            others = f" and any of {', '.join(optional)}" if optional else ""
            got = ", ".join(head) or "none"
            yield Fault(f"got columns {got}, needs {', '.join(required)}{others}")
        elif twice := [name for name in self.names if head.count(name) > 1]:
            yield Fault(f"got {', '.join(twice)} twice, needs each column once")

    def _wrong_row(self, head: Sequence[str], row: Sequence[str], number: int) -> Iterator[Fault]:
        if len(row) != len(head):
            yield Fault(f"got {len(row)} cells, needs {len(head)}", number)
            return
        said = dict(zip(head, row, strict=True))
        for column in self.columns:
            cell = said.get(column.name, "")
            try:
                column.read(cell)
            except Unmeant as needs:
                text = f"{column.name}: got {needs.got or cell!r}, needs {needs}"
                yield Fault(text, number, column.name)

    def _cells(self, head: Sequence[str], row: Sequence[str]) -> Cells:
        said = dict(zip(head, row, strict=True))
        return {column.name: column.read(said.get(column.name, "")) for column in self.columns}

    def _missing_beside(self, table: Table, folder: Path) -> Iterator[Fault]:
        head, *body = table
        for number, row in enumerate(body, 1):
            cells = self._cells(head, list(map(str.strip, row)))
            for column in self.columns:
                try:
                    if column.check and cells[column.name]:
                        column.check(folder, cells[column.name])
                except ReleaseError as error:
                    yield Fault(f"{column.name}: {error.message}", number, column.name)

    def _told(self, fault: Fault) -> str:
        row = f", row {fault.row}" if fault.row else ""
        return f"table of {self.what}{row}: {fault.text}"


def listed(what: str, column: str, read: Callable[[str], T]) -> TableForm[T]:
    """The form of a table with one column alone, whose cells are what is wanted."""

    def make(cells: Cells, _: int) -> T:
        found: T = cells[column]
        return found

    return TableForm(what, (Column(column, read, required=True),), make)


def filled(cell: str) -> str:
    """Any text but none."""
    if not cell:
        raise Unmeant("a text")
    return cell


def quantity(cell: str) -> Quantity:
    """`300 ms` or `5 %`, as people write it. Raises Unmeant for anything else."""
    number, _, unit = cell.partition(" ")
    try:
        value = float(number)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise Unmeant("a number and a unit, like `300 ms`")
    return Quantity(value, unit)


def limit(cell: str) -> Quantity | None:
    """A quantity; None where the cell is empty. Raises Unmeant."""
    return quantity(cell) if cell else None
