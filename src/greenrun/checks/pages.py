"""Pages as people meet them in a browser: their table, and the check."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from greenrun.checks.logs import LinearPattern, pattern
from greenrun.checks.table import Cells, Column, TableForm, Unmeant
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.interfaces.browser import Element, Seen, Visit
from greenrun.model.plan import NEVER_ARRIVES, USER
from greenrun.release.release import Release

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
    allowed: tuple[LinearPattern, ...]

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


def _path(cell: str) -> str:
    if not re.fullmatch(r"/\S*", cell) or cell.startswith("//"):
        raise Unmeant("a path like /memory")
    if cell.partition("?")[0] in NEVER_ARRIVES:
        raise Unmeant("another path: Google's front end answers it with 404 on run.app")
    return cell


def _elements(cell: str) -> tuple[Element, ...]:
    if cell.count('"') % 2 or '""' in cell:
        raise Unmeant("texts between two quotes")
    return tuple(_element(text.strip()) for text in _ONE_ELEMENT.findall(cell) if text.strip())


def _allowed(cell: str) -> tuple[LinearPattern, ...]:
    return (pattern(cell),) if cell else ()


def _element(written: str) -> Element:
    """`heading "Costs"`, `#total "12"`, `#total` or `"Costs"`."""
    named = _WITH_TEXT.fullmatch(written)
    if named is None:
        return Element(written, selector=written)
    what, text = named[1] or "", named[2]
    if _ROLES.fullmatch(what):
        return Element(written, role=what, text=text)
    return Element(written, selector=what, text=text)


def _page(cells: Cells, _: int) -> Page:
    return Page(
        path=cells["page"],
        identity=cells["as"] or USER,
        title=cells["title"],
        elements=cells["shows"],
        allowed=cells["allowed"],
    )


PAGES = TableForm(
    "pages",
    (
        Column("page", _path, required=True),
        Column("shows", _elements),
        Column("title"),
        Column("as"),
        Column("allowed", _allowed),
    ),
    _page,
)

_WHERE_TO_LOOK = "the report holds a screenshot of each page, below this sentence"


def open_well(release: Release, url: str, pages: Sequence[Page]) -> None:
    """Each page answers 200 and shows all it should, and neither console nor network complain.

    Raises:
        GateClosed: with all that is wrong on any page.
        ReleaseError: an identity or a selector that cannot be meant, before any page is opened.
    """
    visits = [_visit(release, url, page) for page in pages]
    elements = [each for page in pages for each in page.elements]
    if refused := release.dependencies.browser.unreadable(elements):
        raise ReleaseError("\n".join(refused))
    found = [
        f"{page}: {line}"
        for page, visit in zip(pages, visits, strict=True)
        for line in page.broken_by(_seen(release, page, visit), _seconds(visit))
    ]
    if found:
        raise GateClosed("\n".join(found), hint=_WHERE_TO_LOOK)


def _visit(release: Release, url: str, page: Page) -> Visit:
    headers = release.prober.headers(page.identity)
    return Visit(url.rstrip("/") + page.path, page.elements, headers)


def _seen(release: Release, page: Page, visit: Visit) -> Seen:
    release.dependencies.progress.report(f"opening {page} in a browser")
    seen = release.dependencies.browser.open(visit)
    attach = release.dependencies.evidence.attach
    if seen.screenshot:
        attach(str(page), seen.screenshot, "image/png")
    attach(f"{page}: what the browser saw", _evidence(page, seen))
    return seen


def _evidence(page: Page, seen: Seen) -> str:
    shown = [each for each in page.elements if each not in seen.missing]
    lines = [
        f"status   {seen.status or 'none'}",
        f"title    {seen.title}",
        *(f"shows    {each}" for each in shown if seen.status == 200),
        *(f"missing  {each}" for each in seen.missing),
        *(f"console  {text}" for text in seen.console),
        *(f"uncaught {text}" for text in seen.errors),
        *(f"failed   {text}" for text in seen.failed),
        *(f"waits    {text}" for text in seen.pending),
        *("no screenshot could be taken" for _ in range(not seen.screenshot)),
    ]
    return "\n".join(lines)


def _seconds(visit: Visit) -> str:
    return f"{visit.within.total_seconds():g} s"
