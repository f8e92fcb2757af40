"""A small web site on this machine, whose pages a test writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Page:
    body: str = ""
    status: int = 200
    kind: str | None = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    without_end: bool = False


@dataclass
class Site:
    """Pages by path; `asked` are the paths that were asked for, with the headers they came with."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    closing: Event = field(default_factory=Event)

    def headers_of(self, path: str) -> dict[str, str]:
        """Those of the only request for a path."""
        (headers,) = (headers for asked, headers in self.asked if asked == path)
        return headers


class _Answering(BaseHTTPRequestHandler):
    site: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.site.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        page = self.site.pages.get(urlsplit(self.path).path, Page("nothing here", 404))
        self.send_response(page.status)
        body = page.body.encode()
        for name, text in page.headers.items():
            self.send_header(name, text)
        if page.kind:
            self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(body) + page.without_end))
        self.end_headers()
        self.wfile.write(body)
        if page.without_end:
            self.wfile.flush()
            self.site.closing.wait()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def served() -> Iterator[Site]:
    """A site of its own origin."""

    class Handler(_Answering):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        site = Handler.site = Site(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            site.closing.set()
            server.shutdown()
            thread.join()
