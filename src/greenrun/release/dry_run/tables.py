"""Tables of a dry run, for the terminal and for the report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

WIDTH = 100
"""Columns of the terminal's tables."""

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportSection:
    """Facts about one thing: as many cells in each row as the head has, or two without one."""

    title: str
    rows: tuple[Row, ...]
    head: Row = ()


@dataclass(frozen=True, slots=True)
class DryRun:
    """All that can be told of a release before it begins."""

    title: str
    sections: tuple[ReportSection, ...]

    def as_text(self) -> str:
        """For a terminal of 100 columns."""
        from rich.console import Console  # noqa: PLC0415 - for --plan alone

        told = StringIO()
        console = Console(file=told, width=WIDTH, color_system=None, legacy_windows=False)
        for section in self.sections:
            console.print(f"\n{section.title}", markup=False, highlight=False)
            console.print(_table(section), highlight=False)
        lines = (line.rstrip() for line in told.getvalue().splitlines())
        return "\n".join((self.title, *lines)) + "\n"

    def as_markdown(self) -> str:
        """For the report."""
        sections = ("\n".join(_markdown(section)) for section in self.sections)
        return "\n\n".join((f"# {self.title}", *sections)) + "\n"


def _table(section: ReportSection) -> "Table":
    from rich.markup import escape  # noqa: PLC0415 - for --plan alone
    from rich.table import Table  # noqa: PLC0415 - for --plan alone

    table = Table(box=None, show_header=bool(section.head), pad_edge=False, padding=(0, 2, 0, 0))
    # A column of its own holds the indentation, also of what is wrapped.
    table.add_column("", width=0)
    for place, name in enumerate(section.head or ("", "")):
        table.add_column(escape(name), overflow="fold", no_wrap=not (place or section.head))
    for row in section.rows:
        table.add_row("", *map(escape, row))
    return table


def _markdown(section: ReportSection) -> Iterator[str]:
    head = section.head or ("fact", "value")
    yield f"## {section.title}\n"
    yield _line(head)
    yield "|" + "---|" * len(head)
    yield from map(_line, section.rows)


def _line(cells: Sequence[str]) -> str:
    shown = (cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells)
    return f"| {' | '.join(shown)} |"
