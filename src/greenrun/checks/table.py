"""Tables of facts: rows of cells, the head first."""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite, nan

from greenrun.model.errors import ReleaseError
from greenrun.model.objective import Quantity

Table = Sequence[Sequence[str]]
Row = Mapping[str, str]


def rows(table: Table, what: str, needs: str, may: Collection[str] = ()) -> tuple[Row, ...]:
    """Each row's cells by column; a column that is not there reads as empty cells.

    Args:
        table: the head and at least one row.
        what: what the table is of, for messages.
        needs: the column that must be there, filled in each row.
        may: the columns that may be there.

    Raises:
        ReleaseError: another column, no row, or a row without what it needs.
    """
    head, *body = table
    if needs not in head or not set(head) <= {needs, *may}:
        others = f" and any of {', '.join(may)}" if may else ""
        raise ReleaseError(f"table of {what}: got columns {', '.join(head)}, needs {needs}{others}")
    if not body:
        raise ReleaseError(f"table of {what}: got no row, needs at least one")
    found = [{**dict.fromkeys(may, ""), **dict(zip(head, row, strict=True))} for row in body]
    for number, row in enumerate(found, 1):
        if not row[needs]:
            raise ReleaseError(f"table of {what}, row {number}: got no {needs}, needs one")
    return tuple(found)


def quantity(text: str) -> Quantity:
    """`300 ms` or `5 %`, as people write it.

    Raises:
        ReleaseError: it is no number with a unit.
    """
    number, _, unit = text.partition(" ")
    try:
        value = float(number)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise ReleaseError(f"table: got {text!r}, needs a number and a unit, like `300 ms`")
    return Quantity(value, unit)
