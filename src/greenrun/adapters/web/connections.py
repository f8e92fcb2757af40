"""HTTP/1.1 by the standard library: a check costs little more than its wire."""

import select
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from functools import cached_property
from http import HTTPStatus
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPMessage,
    HTTPResponse,
    HTTPSConnection,
)
from ssl import SSLContext
from threading import Lock
from typing import TypeAlias

import httpx

# Servers close idle connections after some seconds; a reused one must never be closed under us.
_KEPT_SECONDS = 2.0
_CHUNK = 65536
_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65535
_NO_HEADERS = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)

_Origin: TypeAlias = tuple[str, str, int]
_Idle: TypeAlias = deque[tuple[float, HTTPConnection]]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`seconds` is how long the connection, and then the answer, may take each."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    seconds: float


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """`headers` have lower-case names; `body` is as it was sent, perhaps compressed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Connections:
    """Serves any number of threads; a connection that is idle is for whoever asks next.

    Certificates are trusted as httpx trusts them (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
    """

    def __init__(self) -> None:
        self._idle: defaultdict[_Origin, _Idle] = defaultdict(deque)
        self._lock = Lock()
        self._closed = False

    def close(self) -> None:
        """Close all idle connections; one in use is closed after its answer."""
        with self._lock:
            self._closed = True
            for idle in self._idle.values():
                _close(idle, until=time.monotonic())

    def send(self, request: HttpRequest) -> HttpResponse:
        """The whole answer. No redirect is followed, no cookie kept, nothing sent twice.

        Raises:
            OSError: no connection, or it broke; TimeoutError where it took too long.
            HTTPException: what came is not HTTP.
            ValueError: the request cannot be sent.
            httpx.InvalidURL, httpx.UnsupportedProtocol: the address is none.
        """
        url = httpx.URL(request.url)
        origin = _origin(url)
        connection = self._reused(origin) or self._new(origin, request.seconds)
        try:
            answer = _exchanged(connection, request, url.raw_path.decode("ascii"))
        except BaseException:
            connection.close()
            raise
        self._give_back(origin, connection)
        return answer

    def _reused(self, origin: _Origin) -> HTTPConnection | None:
        with self._lock:
            idle = self._idle[origin]
            _close(idle, until=time.monotonic() - _KEPT_SECONDS)
            while idle:
                _, connection = idle.pop()
                if not _has_ended(connection):
                    return connection
                connection.close()
        return None

    def _new(self, origin: _Origin, seconds: float) -> HTTPConnection:
        scheme, host, port = origin
        connection = (
            HTTPSConnection(host, port, timeout=seconds, context=self._trust)
            if scheme == "https"
            else HTTPConnection(host, port, timeout=seconds)
        )
        connection.response_class = _FinalResponse
        connection.connect()
        return connection

    @cached_property
    def _trust(self) -> SSLContext:
        context = httpx.create_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _give_back(self, origin: _Origin, connection: HTTPConnection) -> None:
        with self._lock:
            if self._closed:
                connection.close()
            elif connection.sock:
                self._idle[origin].append((time.monotonic(), connection))


class _FinalResponse(HTTPResponse):
    """Passes over 102 and 103 as http.client does over 100: the answer is still to come."""

    def begin(self) -> None:
        """Read the head."""
        super().begin()
        while HTTPStatus.SWITCHING_PROTOCOLS < self.status < HTTPStatus.OK:
            self.headers = None  # type: ignore[assignment] # as before the first one
            super().begin()


def _origin(url: httpx.URL) -> _Origin:
    port = url.port or _PORTS.get(url.scheme, 0)
    if url.scheme not in _PORTS or not url.host or port > _LAST_PORT:
        needs = f"http:// or https://, a host, and a port up to {_LAST_PORT}"
        raise httpx.UnsupportedProtocol(f"needs {needs}; got {url}")
    return url.scheme, url.raw_host.decode("ascii"), port


def _exchanged(connection: HTTPConnection, request: HttpRequest, target: str) -> HttpResponse:
    """One request, its answer. The connection is closed where it can serve no other."""
    ends = time.monotonic() + request.seconds
    connection.sock.settimeout(request.seconds)
    connection.request(request.method, target, request.body, request.headers)
    with connection.getresponse() as answer:
        if any(isinstance(defect, _NO_HEADERS) for defect in answer.headers.defects):
            raise HTTPException("the head has a line that is no header")
        body = _body(answer, ends)
    if answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
        connection.close()
    return HttpResponse(answer.status, _headers(answer.headers), body)


def _body(answer: HTTPResponse, ends: float) -> bytes:
    """Raises TimeoutError where it has not ended by then."""
    chunks = []
    while chunk := answer.read1(_CHUNK):
        chunks.append(chunk)
        if time.monotonic() > ends:
            raise TimeoutError
    if answer.length:
        raise HTTPException(f"the body ended {answer.length} bytes early")
    return b"".join(chunks)


def _headers(message: HTTPMessage) -> dict[str, str]:
    """By names in lower case; several of a name are one, with commas. Source: RFC 9110, 5.2."""
    headers: dict[str, str] = {}
    for name, value in message.items():
        key, text = name.lower(), value if value.isascii() else _as_sent(value)
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _as_sent(value: str) -> str:
    """http.client takes every byte for a letter; where they are UTF-8, they were meant so."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def _has_ended(connection: HTTPConnection) -> bool:
    """Whether the server has closed it: an idle connection has nothing else to tell."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _close(idle: _Idle, until: float) -> None:
    """Close what has been idle since then, in seconds of the monotonic clock."""
    while idle and idle[0][0] <= until:
        idle.popleft()[1].close()
