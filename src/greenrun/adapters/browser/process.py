"""`python -m greenrun.adapters.browser.process FD`: opens pages for whoever holds the other end."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    Error,
    Page,
    sync_playwright,
)

from greenrun.adapters.browser.visit import refusal, see
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces.browser import Element, Seen, Visit

_ON_PATH = ("chromium", "google-chrome")
_START_MILLISECONDS = 30_000
_LOOKS: dict[str, Any] = {
    "viewport": {"width": 1280, "height": 800},
    "locale": "en-US",
    "service_workers": "block",
}
_INSTALL = "`playwright install chromium` installs one; in greenrun's own tree it is `make browser`"

_OF_THIS_MACHINE, _TRIES = "net::ERR_NETWORK_CHANGED", 3


class Driven:
    """A browser that starts with the first question, and anew after it died."""

    def __init__(self) -> None:
        self._open_until = ExitStack()
        self._browser: Browser | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Error):  # it may have ended by itself
            self._open_until.close()

    def answer(self, question: Visit | Sequence[Element]) -> Seen | Sequence[str] | CallFailed:
        """What was seen, or which selectors are none, or why neither can be told."""
        try:
            if isinstance(question, Visit):
                return self._seen(question)
            with self._page() as page:
                return [line for each in question if (line := refusal(page, each))]
        except CallFailed as error:
            return error
        except Error as error:
            return CallFailed(f"could not open a page: Chromium broke off: {_reason(error)}")

    def _seen(self, visit: Visit) -> Seen:
        """Open it again where requests failed as this machine's own network has changed.

        Chromium breaks off whatever is under way when a container starts beside it.
        """
        for _ in range(_TRIES - 1):
            seen = self._opened(visit)
            if not any(_OF_THIS_MACHINE in told for told in seen.failed):
                return seen
        return self._opened(visit)

    def _opened(self, visit: Visit) -> Seen:
        """A browser that died shows nothing, which says nothing of the page."""
        with self._page() as page:
            seen = see(page, visit)
        if self._browser is None or not self._browser.is_connected():
            raise CallFailed("could not open a page: Chromium broke off: it ended by itself")
        return seen

    @contextmanager
    def _page(self) -> Iterator[Page]:
        context = self._context()
        try:
            yield context.new_page()
        finally:
            context.close()

    def _context(self) -> BrowserContext:
        if self._browser:
            with suppress(Error):  # it may have died since
                return self._browser.new_context(**_LOOKS)
            self.__exit__()
        with ExitStack() as stack:
            kind = stack.enter_context(sync_playwright()).chromium
            self._browser = _launched(kind)
            stack.callback(self._browser.close)
            self._open_until = stack.pop_all()
        return self._browser.new_context(**_LOOKS)


def _launched(kind: BrowserType) -> Browser:
    executable = _executable(kind)
    try:
        return kind.launch(executable_path=executable, timeout=_START_MILLISECONDS)
    except Error as error:
        raise CallFailed(
            f"could not open a page: Chromium {executable} did not start: {_reason(error)}",
            hint=_INSTALL,
        ) from error


def _executable(kind: BrowserType) -> str:
    """Playwright's own where it was installed, as the two fit; else what the machine has."""
    if Path(kind.executable_path).exists():
        return kind.executable_path
    for name in _ON_PATH:
        if found := shutil.which(name):
            return found
    raise CallFailed(
        "could not open a page: got no browser (neither Playwright's own nor one of "
        f"{', '.join(_ON_PATH)} on PATH), needs Chromium",
        hint=_INSTALL,
    )


def _reason(error: Error) -> str:
    return error.message.strip().splitlines()[0]


def main(connection: Connection) -> None:
    """Answer questions until the other end is closed."""
    with suppress(EOFError, OSError), Driven() as driven:
        while True:
            connection.send(driven.answer(connection.recv()))


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
