"""Proofs of pages, as people meet them in a browser."""

from collections.abc import Sequence

from greenrun.checks.pages.table import Page
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.interfaces.browser import Seen, Visit
from greenrun.release.release import Release

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
    attach(f"{page}: what the browser saw", _guard(page, seen))
    return seen


def _guard(page: Page, seen: Seen) -> str:
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
