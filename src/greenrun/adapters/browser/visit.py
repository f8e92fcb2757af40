"""One page in a browser: what it shows, what it says, what it asks for."""

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from playwright.sync_api import (
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Request,
    Response,
    TimeoutError,  # noqa: A004 - its name
)

from greenrun.adapters.http.limits import carried
from greenrun.model.interfaces.browser import Element, Seen, Visit

_OK, _BAD = 200, 400
_QUIET = timedelta(seconds=2)
"""How long a page that has shown everything may keep asking; some never stop."""

_DRAWING = timedelta(seconds=5)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ABORTED = "net::ERR_ABORTED"
_ALSO_A_REQUEST = "Failed to load resource:"
"""How Chromium's console tells of a request that is among the failed ones already."""

_MOST_CHARACTERS = 200_000
"""Of all that a page says; what it says after them is counted, and not kept."""

_TALLEST = 10_000
"""Pixels of a page that are drawn; of a taller one, what is seen without scrolling."""

_LARGEST = 5_000_000
"""Bytes of a screenshot that are kept."""


def see(page: Page, visit: Visit) -> Seen:
    """Open the page of a visit; elements are looked for where it answers 200.

    What is told is not redacted yet.
    """
    events, time_left = PageEvents(page, origin(visit.url)), _Countdown(visit.within)
    if visit.headers:
        identify(page, origin(visit.url), visit.headers)
    try:
        answer = page.goto(visit.url, wait_until="commit", timeout=time_left())
    except Error as error:
        return Seen(None, failed=(events.no_answer(visit, error),))
    pending = _pending(page, events, time_left)
    looked_for = visit.elements if answer and answer.status == _OK else ()
    missing = tuple(each for each in looked_for if not _is_seen(located(page, each), time_left))
    with suppress(TimeoutError):
        page.wait_for_load_state("networkidle", timeout=min(time_left(), _milliseconds(_QUIET)))
    title = _title(page)
    return Seen(
        status=answer.status if answer else None,
        title=title or "",
        missing=missing,
        console=events.console,
        errors=events.errors,
        failed=tuple(events.failed),
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


def _pending(page: Page, events: "PageEvents", left: _Countdown) -> tuple[str, ...]:
    """What the page still waits for when its time is over; nothing where it has loaded."""
    try:
        page.wait_for_load_state("load", timeout=left())
    except TimeoutError:
        return events.under_way or ("its own scripts",)
    return ()


def _is_seen(found: Locator, left: _Countdown) -> bool:
    try:
        found.filter(visible=True).first.wait_for(timeout=left())
    except TimeoutError:
        return False
    return True


def _title(page: Page) -> str | None:
    """None where the page is too busy to tell; `page.title` would wait for ever."""
    script = f"() => [document.title.slice(0, {_MOST_CHARACTERS})]"
    try:
        told = page.wait_for_function(script, timeout=_milliseconds(_QUIET))
        return str(told.json_value()[0])
    except Error:
        return None


def _screenshot(page: Page) -> bytes:
    """A PNG of the whole page, or of the part of it that can be kept; empty without one."""
    limit = _milliseconds(_DRAWING)
    try:
        height = page.wait_for_function(
            "() => [document.documentElement.scrollHeight]", timeout=limit
        )
        whole = int(height.json_value()[0]) <= _TALLEST
        drawn = page.screenshot(full_page=whole, timeout=limit)
        if whole and len(drawn) > _LARGEST:
            drawn = page.screenshot(timeout=limit)
    except Error:
        return b""
    return drawn if len(drawn) <= _LARGEST else b""


def _milliseconds(duration: timedelta) -> float:
    return duration / timedelta(milliseconds=1)


class PageEvents:
    """Listens to a page: the console's errors, errors that nobody caught, requests that failed."""

    def __init__(self, page: Page, own: str) -> None:
        self._own = own
        self._console: list[tuple[str, str]] = []
        self._under_way: dict[Request, str] = {}
        self._failed_urls: set[str] = set()
        self._room = _MOST_CHARACTERS
        self._unkept = 0
        self._errors: list[str] = []
        self.failed: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", self._thrown)
        page.on("request", self._asked)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._broke_off)
        page.on("response", self._answered)

    @property
    def console(self) -> tuple[str, ...]:
        """The console's errors, without those that only repeat a failed request."""
        return tuple(
            text
            for text, url in self._console
            if not (text.startswith(_ALSO_A_REQUEST) and url in self._failed_urls)
        )

    @property
    def errors(self) -> tuple[str, ...]:
        """Errors that nobody caught, and how much more the page said than is kept."""
        more = (f"{self._unkept} more messages, which are not kept",) if self._unkept else ()
        return (*self._errors, *more)

    @property
    def under_way(self) -> tuple[str, ...]:
        """Requests that have not ended."""
        return tuple(self._under_way.values())

    def no_answer(self, visit: Visit, error: Error) -> str:
        """Why the page itself did not come."""
        reason = error.message.removeprefix("Page.goto: ").strip().splitlines()[0]
        if isinstance(error, TimeoutError):
            reason = f"nothing within {visit.within.total_seconds():g} s"
        return f"GET {self._place(visit.url)}: {reason}"

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and self._has_room(message.text):
            self._console.append((message.text, message.location["url"]))

    def _thrown(self, error: Error) -> None:
        if self._has_room(error.message):
            self._errors.append(f"{error.name}: {error.message}")

    def _has_room(self, text: str) -> bool:
        """Keep a message as a whole or not at all: half a secret cannot be redacted."""
        kept = len(text) <= self._room
        self._room -= len(text) if kept else 0
        self._unkept += not kept
        return kept

    def _asked(self, request: Request) -> None:
        self._under_way[request] = self._name(request)

    def _ended(self, request: Request) -> None:
        self._under_way.pop(request, None)

    def _broke_off(self, request: Request) -> None:
        self._ended(request)
        if request.failure != _ABORTED:  # which is the page's own doing
            self._fail(request, request.failure or "broke off")

    def _answered(self, response: Response) -> None:
        request = response.request
        of_the_page = request.is_navigation_request() and request.frame.parent_frame is None
        if response.status >= _BAD and not of_the_page:
            self._fail(request, f"status {response.status}")

    def _fail(self, request: Request, reason: str) -> None:
        if self._has_room(request.url):
            self._failed_urls.add(request.url)
            self.failed.append(f"{self._name(request)}: {reason}")

    def _name(self, request: Request) -> str:
        return f"{request.method} {self._place(request.url)}"

    def _place(self, url: str) -> str:
        """An address within the page's own origin as a path."""
        own = self._own + "/"
        return url.removeprefix(self._own) if url.startswith(own) else url


def origin(url: str) -> str:
    """`https://host` or `http://host:8080`, as browsers write it."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)):
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}://{host}:{parts.port}"


def identify(page: Page, own: str, headers: Mapping[str, str]) -> None:
    """Add headers to the page's requests to one origin, and to no other.

    Chromium pauses each hop of a redirect by itself; Playwright's own routes hand their headers on
    to wherever a redirect leads. Raises CallFailed for a header that HTTP does not carry.
    """
    session = page.context.new_cdp_session(page)
    said = {name.lower(): value for name, value in carried(headers).items()}

    def add(paused: dict[str, Any]) -> None:
        sent = {name.lower(): text for name, text in paused["request"]["headers"].items()} | said
        entries = [{"name": name, "value": text} for name, text in sent.items()]
        with suppress(Error):  # the page may have been closed meanwhile
            session.send(
                "Fetch.continueRequest", {"requestId": paused["requestId"], "headers": entries}
            )

    session.on("Fetch.requestPaused", add)
    session.send("Fetch.enable", {"patterns": [{"urlPattern": f"{own}/*"}]})
