"""The index of all records: a table in a page of people, one row a release, newest first."""

from greenrun.reporting.record.files import line_end
from greenrun.reporting.record.record import Record

_COLUMNS = ("started (UTC)", "environment", "candidate", "image tag", "outcome", "record")

TABLE = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"
"""The head of the table, as greenrun begins it."""

PAGE = f"# Releases\n\nThe newest is the first. greenrun adds a row at each release.\n\n{TABLE}"
"""The page, where there is none."""


def with_row(page: str, record: Record, name: str) -> str:
    """The page with the row of one record, by the name of its file; all else stays as it is."""
    lines = (page or PAGE).splitlines(keepends=True)
    end = line_end(page)
    row = _row(record, name) + end
    known = next((at for at, line in enumerate(lines) if _leads_to(line, name)), None)
    if known is not None:
        lines[known] = row
        return "".join(lines)
    head = next((at for at, line in enumerate(lines) if _cells(line) == _COLUMNS), None)
    if head is None:
        return f"{_ended(page, end)}{end}{TABLE.replace(chr(10), end)}{row}"
    body = min(head + 2, len(lines))
    lines[body - 1] = _ended(lines[body - 1], end)
    return "".join([*lines[:body], row, *lines[body:]])


def _row(record: Record, name: str) -> str:
    cells = (
        f"{record.started:%Y-%m-%d %H:%M}",
        record.environment,
        record.candidate or "-",
        record.image_tag or "-",
        record.outcome,
        f"[{name.removesuffix('.md')}]({name})",
    )
    return f"| {' | '.join(cells)} |"


def _leads_to(line: str, name: str) -> bool:
    return line.startswith("|") and f"]({name})" in line


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def _ended(text: str, end: str) -> str:
    return text if text.endswith(("\n", "\r")) else text + end
