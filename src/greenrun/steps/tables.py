"""Tables of a feature, as pytest-bdd hands them to a sentence: rows of cells, the head first."""

from greenrun.checks.table import Table, quantity
from greenrun.model.errors import ReleaseError
from greenrun.model.objective import Gate, Threshold

__all__ = ["Table", "column", "gate"]


def column(table: Table, name: str) -> tuple[str, ...]:
    """The cells below one name. Raises ReleaseError for an unknown name or an empty table."""
    head, *rows = table
    if name not in head or not rows:
        raise ReleaseError(f"table: got columns {head} and {len(rows)} rows, needs {name!r} filled")
    return tuple(row[head.index(name)] for row in rows)


def gate(table: Table) -> Gate:
    """The thresholds of a table with the columns `measure` and `at most`."""
    limits = zip(column(table, "measure"), column(table, "at most"), strict=True)
    return Gate(tuple(Threshold(name, "at most", quantity(limit)) for name, limit in limits))
