"""HTTP/1.1 by the standard library, and strictly: a check costs little more than its wire."""

import select
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from functools import partial
from http import HTTPStatus
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPMessage,
    HTTPResponse,
    HTTPSConnection,
)
from io import BufferedReader, RawIOBase
from socket import socket
from ssl import SSLContext, SSLSocket
from threading import Lock
from typing import Any, TypeAlias

import httpx

from greenrun.adapters.http.limits import bounded

KEPT_SECONDS = 2.0
"""Servers close idle connections after some seconds; a reused one must never be closed under us."""

_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65535
_CHUNK = 65536
_NO_HEADERS = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)

_Origin: TypeAlias = tuple[str, str, int]
_Idle: TypeAlias = deque[tuple[float, HTTPConnection]]


@dataclass(frozen=True, slots=True)
class WireRequest:
    """`seconds` is how long the connection, and then the answer, may take each."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    seconds: float


@dataclass(frozen=True, slots=True)
class WireResponse:
    """`headers` have lower-case names; `body` is as it was sent, perhaps compressed.

    It took so many `seconds`, connecting included.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    seconds: float


class Connections:
    """Serves any number of threads; a connection that is idle is for whoever asks next.

    Certificates are trusted as httpx trusts them (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
    """

    def __init__(self) -> None:
        self._idle: defaultdict[_Origin, _Idle] = defaultdict(deque)
        self._lock = Lock()
        self._trust: SSLContext | None = None
        self._closed = False

    def close(self) -> None:
        """Close all idle connections; one in use is closed after its answer."""
        with self._lock:
            self._closed = True
            for idle in self._idle.values():
                _close(idle, until=time.monotonic())

    def send(self, request: WireRequest) -> WireResponse:
        """The whole answer. No redirect is followed, no cookie kept, nothing sent twice.

        Raises:
            OSError: no connection, or it broke; TimeoutError where it took too long.
            HTTPException: what came is not HTTP.
            ValueError: the request cannot be sent, or the answer is longer than is read.
            httpx.InvalidURL, httpx.UnsupportedProtocol: the address is none.
        """
        url = httpx.URL(request.url)
        origin = _origin(url)
        trust = self._trusted() if url.scheme == "https" else None
        begun = time.monotonic()
        connection = self._reused(origin) or _connected(origin, trust, request.seconds)
        try:
            answer = _exchanged(connection, request, url.raw_path.decode("ascii"), begun)
        except BaseException:
            connection.close()
            raise
        self._give_back(origin, connection)
        return answer

    def _trusted(self) -> SSLContext:
        """Read once: that takes some hundredths of a second, which are none of the service's."""
        with self._lock:
            if self._trust is None:
                self._trust = httpx.create_ssl_context()
                self._trust.set_alpn_protocols(["http/1.1"])
            return self._trust

    def _reused(self, origin: _Origin) -> HTTPConnection | None:
        with self._lock:
            idle = self._idle[origin]
            _close(idle, until=time.monotonic() - KEPT_SECONDS)
            while idle:
                _, connection = idle.pop()
                if not _has_ended(connection):
                    return connection
                connection.close()
        return None

    def _give_back(self, origin: _Origin, connection: HTTPConnection) -> None:
        with self._lock:
            if self._closed:
                connection.close()
            elif connection.sock:
                self._idle[origin].append((time.monotonic(), connection))


def _origin(url: httpx.URL) -> _Origin:
    port = _PORTS.get(url.scheme, 0) if url.port is None else url.port
    if not (url.scheme in _PORTS and url.host and 0 < port <= _LAST_PORT):
        needs = f"http:// or https://, a host, and a port from 1 to {_LAST_PORT}"
        raise httpx.UnsupportedProtocol(f"needs {needs}; got {url}")
    return url.scheme, url.raw_host.decode("ascii"), port


def _connected(origin: _Origin, trust: SSLContext | None, seconds: float) -> HTTPConnection:
    _, host, port = origin
    connection = (
        HTTPSConnection(host, port, timeout=seconds, context=trust)
        if trust
        else HTTPConnection(host, port, timeout=seconds)
    )
    connection.connect()
    return connection


def _exchanged(
    connection: HTTPConnection, request: WireRequest, target: str, begun: float
) -> WireResponse:
    """One request, its answer. The connection is closed where it can serve no other."""
    ends = time.monotonic() + request.seconds
    connection.sock.settimeout(request.seconds)
    connection.response_class = partial(FinalResponse, ends=ends)  # type: ignore[assignment] # only called
    is_sent = _is_sent(connection, request, target)
    with connection.getresponse() as answer:
        body = _whole(answer)
    headers = _headers(answer.headers)
    goes_on = is_sent and answer.status != HTTPStatus.SWITCHING_PROTOCOLS
    if not goes_on or "close" in headers.get("connection", "").lower():
        connection.close()
    return WireResponse(answer.status, headers, body, time.monotonic() - begun)


def _is_sent(connection: HTTPConnection, request: WireRequest, target: str) -> bool:
    """False where the server would not hear all of it: it may have answered already."""
    try:
        connection.request(request.method, target, request.body, request.headers)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _headers(message: HTTPMessage) -> dict[str, str]:
    """By names in lower case; several of a name are one, with commas. Source: RFC 9110, 5.2."""
    headers: dict[str, str] = {}
    for name, value in message.items():
        key, text = name.lower(), value.strip()
        if "\n" in text or not text.isascii():
            text = _as_meant(text)
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _as_meant(value: str) -> str:
    """In one line; http.client takes every byte for a letter, where UTF-8 was meant."""
    line = " ".join(part.strip() for part in value.split("\n"))
    try:
        return line.encode("latin-1").decode()
    except UnicodeDecodeError:
        return line


def _has_ended(connection: HTTPConnection) -> bool:
    """Whether the server has closed it: an idle connection has nothing else to tell."""
    if isinstance(connection.sock, SSLSocket) and connection.sock.pending():
        return True
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _close(idle: _Idle, until: float) -> None:
    """Close what has been idle since then, in seconds of the monotonic clock."""
    while idle and idle[0][0] <= until:
        idle.popleft()[1].close()


class FinalResponse(HTTPResponse):
    """Passes over 102 and 103 as http.client does over 100: the answer is still to come.

    Every read ends in time, however the server doles out its answer; and it must be clear where
    an answer ends, or the next one on the connection would be another's.
    """

    def __init__(self, sock: socket, *args: Any, ends: float, **more: Any) -> None:  # noqa: ANN401 - as HTTPResponse has them
        """As HTTPResponse; it `ends` at that second of the monotonic clock."""
        super().__init__(sock, *args, **more)
        self.fp = BufferedReader(_Timed(self.fp.detach(), sock, ends))

    def begin(self) -> None:
        """Read the head. Raises HTTPException, and TimeoutError."""
        super().begin()
        while HTTPStatus.SWITCHING_PROTOCOLS < self.status < HTTPStatus.OK:
            self.headers = None  # type: ignore[assignment] # as before the first one
            super().begin()
        self._check_head()
        if self.length == 0:  # as after HEAD: not even an empty chunk follows
            self.chunked = False

    def _check_head(self) -> None:
        if any(isinstance(defect, _NO_HEADERS) for defect in self.headers.defects):
            raise HTTPException("the head has a line that is no header")
        lengths = {text.strip() for text in self.headers.get_all("content-length", ())}
        if len(lengths) > 1 or not all(map(str.isdecimal, lengths)):
            raise HTTPException(f"content-length: got {', '.join(sorted(lengths))}, needs a number")
        coding = self.headers.get("transfer-encoding")
        if coding is not None and not self.chunked:
            raise HTTPException(f"transfer-encoding: got {coding}, needs chunked")


class _Timed(RawIOBase):
    """What comes over a socket up to a moment; from then on it raises TimeoutError."""

    def __init__(self, raw: RawIOBase, sock: socket, ends: float) -> None:
        self._raw = raw
        self._sock = sock
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any buffer
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        super().close()
        self._raw.close()


def _whole(answer: HTTPResponse) -> bytes:
    """The body as it was sent. Raises HTTPException where it ends early, and EndlessAnswer."""
    body = b"".join(bounded(iter(lambda: answer.read1(_CHUNK), b"")))
    if answer.length:
        raise HTTPException(f"the body ended {answer.length} bytes early")
    return body
