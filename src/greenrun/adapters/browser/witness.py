"""What a page says and asks for while it is open."""

from playwright.sync_api import (
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    TimeoutError,  # noqa: A004 - its name
)

from greenrun.model.interfaces.browser import Visit

_BAD = 400
_ABORTED = "net::ERR_ABORTED"
_ALSO_A_REQUEST = "Failed to load resource:"
"""How Chromium's console tells of a request that is among the failed ones already."""


class Witness:
    """Listens to a page: the console's errors, errors that nobody caught, requests that failed."""

    def __init__(self, page: Page, own: str) -> None:
        self._own = own
        self._console: list[tuple[str, str]] = []
        self._under_way: dict[Request, str] = {}
        self._failed_urls: set[str] = set()
        self.errors: list[str] = []
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
        if message.type == "error":
            self._console.append((message.text, message.location["url"]))

    def _thrown(self, error: Error) -> None:
        self.errors.append(f"{error.name}: {error.message}")

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
        self._failed_urls.add(request.url)
        self.failed.append(f"{self._name(request)}: {reason}")

    def _name(self, request: Request) -> str:
        return f"{request.method} {self._place(request.url)}"

    def _place(self, url: str) -> str:
        """An address within the page's own origin as a path."""
        own = self._own + "/"
        return url.removeprefix(self._own) if url.startswith(own) else url
