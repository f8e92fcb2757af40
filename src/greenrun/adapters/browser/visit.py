"""One page in a browser: what it shows, what it says, what it asks for."""

import time
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

from playwright.sync_api import Error, Locator, Page, TimeoutError  # noqa: A004 - its name

from greenrun.adapters.browser.identity import identify, origin
from greenrun.adapters.browser.witness import Witness
from greenrun.model.interfaces.browser import Element, Seen, Visit

_OK = 200
_QUIET = timedelta(seconds=2)
"""How long a page that has shown everything may keep asking; some never stop."""

_DRAWING = timedelta(seconds=5)


def see(page: Page, visit: Visit) -> Seen:
    """Open the page of a visit; elements are looked for where it answers 200.

    What is told is not redacted yet.
    """
    witness, time_left = Witness(page, origin(visit.url)), _Countdown(visit.within)
    if visit.headers:
        identify(page, origin(visit.url), visit.headers)
    try:
        answer = page.goto(visit.url, wait_until="commit", timeout=time_left())
    except Error as error:
        return Seen(None, failed=(witness.no_answer(visit, error),))
    pending = _pending(page, witness, time_left)
    looked_for = visit.elements if answer and answer.status == _OK else ()
    missing = tuple(each for each in looked_for if not _is_seen(located(page, each), time_left))
    with suppress(TimeoutError):
        page.wait_for_load_state("networkidle", timeout=min(time_left(), _milliseconds(_QUIET)))
    title = _title(page)
    return Seen(
        status=answer.status if answer else None,
        title=title or "",
        missing=missing,
        console=witness.console,
        errors=tuple(witness.errors),
        failed=tuple(witness.failed),
        pending=pending,
        screenshot=b"" if title is None else _screenshot(page),
    )


def located(page: Page, element: Element) -> Locator:
    """Where an element may be found on a page."""
    if element.role:
        return page.get_by_role(cast("Any", element.role), name=element.text)
    if element.selector:
        return page.locator(f"css={element.selector}").filter(has_text=element.text)
    return page.get_by_text(element.text)


def refusal(page: Page, element: Element) -> str:
    """Why an element cannot be looked for; empty where it can."""
    try:
        located(page, element).count()
    except Error as error:
        reason = error.message.removeprefix("Locator.count: ").strip().splitlines()[0]
        return f"got element {element}, needs a role or a CSS selector: {reason}"
    return ""


class _Countdown:
    """The time that is left, in milliseconds; never 0, which Playwright takes for forever."""

    def __init__(self, within: timedelta) -> None:
        self._deadline = time.monotonic() + within.total_seconds()

    def __call__(self) -> float:
        return max(1.0, (self._deadline - time.monotonic()) * 1000)


def _pending(page: Page, witness: Witness, left: _Countdown) -> tuple[str, ...]:
    """What the page still waits for when its time is over; nothing where it has loaded."""
    try:
        page.wait_for_load_state("load", timeout=left())
    except TimeoutError:
        return witness.under_way or ("its own scripts",)
    return ()


def _is_seen(found: Locator, left: _Countdown) -> bool:
    try:
        found.filter(visible=True).first.wait_for(timeout=left())
    except TimeoutError:
        return False
    return True


def _title(page: Page) -> str | None:
    """None where the page is too busy to tell; `page.title` would wait for ever."""
    try:
        told = page.wait_for_function("() => [document.title]", timeout=_milliseconds(_QUIET))
        return str(told.json_value()[0])
    except Error:
        return None


def _screenshot(page: Page) -> bytes:
    try:
        return page.screenshot(full_page=True, timeout=_milliseconds(_DRAWING))
    except Error:
        return b""


def _milliseconds(duration: timedelta) -> float:
    return duration / timedelta(milliseconds=1)
