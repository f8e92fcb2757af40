"""Pages as a feature's table names them: the address, what they show, and to whom."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from greenrun.checks.logs import patterns
from greenrun.checks.table import Row, Table, rows
from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces.browser import Element, Seen

COLUMNS = ("shows", "title", "as", "allowed")

_ROLES = re.compile(
    r"alert|article|banner|button|cell|checkbox|columnheader|combobox|complementary|"
    r"contentinfo|dialog|figure|form|grid|gridcell|group|heading|img|link|list|listbox|"
    r"listitem|main|menu|menubar|menuitem|meter|navigation|note|option|paragraph|progressbar|"
    r"radio|radiogroup|region|row|rowheader|search|searchbox|separator|slider|spinbutton|"
    r"status|switch|tab|table|tablist|tabpanel|term|textbox|timer|toolbar|tooltip|tree|"
    r"treeitem"
)
"""Roles that a page can show. Source: https://www.w3.org/TR/wai-aria-1.2/#role_definitions"""

_ONE_ELEMENT = re.compile(r'(?:[^;"]|"[^"]*")+')
_WITH_TEXT = re.compile(r'(?:(\S.*?)\s+)?"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Page:
    """One row. `allowed` are complaints of a page that everybody knows of."""

    path: str
    identity: str
    title: str
    elements: tuple[Element, ...]
    allowed: tuple[re.Pattern[str], ...]

    def __str__(self) -> str:
        return f"{self.path} as {self.identity}"

    def broken_by(self, seen: Seen, within: str) -> tuple[str, ...]:
        """Every promise that a page breaks, as `got X, needs Y`; its time was `within`."""
        if seen.status is None:
            return (f"got no answer ({'; '.join(seen.failed)}), needs status 200",)
        return (
            *(f"got status {status}, needs 200" for status in (seen.status,) if status != 200),
            *self._unseen(seen, within),
            *self._complaints(seen),
        )

    def _unseen(self, seen: Seen, within: str) -> Sequence[str]:
        found = [f"got no {each} within {within}, needs it to be seen" for each in seen.missing]
        if seen.pending:
            waits = ", ".join(seen.pending)
            found += [f"got a page that waits for {waits}, needs it loaded within {within}"]
        if seen.status == 200 and self.title not in seen.title:
            found += [f"got title {seen.title!r}, needs {self.title!r}"]
        return found

    def _complaints(self, seen: Seen) -> Sequence[str]:
        said = [f"got console error {text!r}, needs none" for text in seen.console]
        said += [f"got uncaught {text!r}, needs no such error" for text in seen.errors]
        said += [f"got {text}, needs every request answered" for text in seen.failed]
        return [line for line in said if not any(known.search(line) for known in self.allowed)]


def read_pages(table: Table) -> tuple[Page, ...]:
    """The pages of a table whose first row names its columns; missing cells default.

    Raises:
        ReleaseError: columns or cells that cannot be meant, all of them.
    """
    cells = rows(table, "pages", "page", COLUMNS)
    if wrong := [line for row in cells for line in _wrong(row)]:
        raise ReleaseError("\n".join(wrong))
    return tuple(map(_page, cells))


def _page(cells: Row) -> Page:
    return Page(
        path=cells["page"],
        identity=cells["as"] or "a user",
        title=cells["title"],
        elements=tuple(map(_element, _phrases(cells))),
        allowed=patterns(list(filter(None, [cells["allowed"]]))),
    )


def _wrong(cells: Row) -> Sequence[str]:
    path, shows = cells["page"], cells["shows"]
    found = [f"table of pages: got page {path!r}, needs a path like /memory"]
    wrong = [] if re.fullmatch(r"/\S*", path) and not path.startswith("//") else found
    if shows.count('"') % 2 or '""' in shows:
        wrong.append(f"table of pages: {path} shows {shows!r}, needs texts between two quotes")
    return wrong


def _phrases(cells: Row) -> Sequence[str]:
    return [text.strip() for text in _ONE_ELEMENT.findall(cells["shows"]) if text.strip()]


def _element(written: str) -> Element:
    """`heading "Costs"`, `#total "12"`, `#total` or `"Costs"`."""
    named = _WITH_TEXT.fullmatch(written)
    if named is None:
        return Element(written, selector=written)
    what, text = named[1] or "", named[2]
    if _ROLES.fullmatch(what):
        return Element(written, role=what, text=text)
    return Element(written, selector=what, text=text)
