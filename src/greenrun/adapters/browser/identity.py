"""Headers that say who asks, for one origin alone."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Error, Page

from greenrun.adapters.http.limits import carried

_DEFAULT_PORTS = {"http": 80, "https": 443}


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
