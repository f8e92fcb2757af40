"""httpx's requests over http.client's connections, in half the time of httpx's own transport."""

import select
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from functools import cached_property, partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
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


class ReusingTransport(httpx.BaseTransport):
    """Speaks HTTP/1.1 for any number of threads; idle connections are everybody's.

    Certificates are trusted as httpx trusts them (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
    """

    def __init__(self) -> None:
        self._idle: defaultdict[_Origin, _Idle] = defaultdict(deque)
        self._lock = Lock()
        self._closed = False

    def close(self) -> None:
        """Close all idle connections; one in use is closed when its answer is."""
        with self._lock:
            self._closed = True
            for idle in self._idle.values():
                _close(idle, until=time.monotonic())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, its body still to be read. Raises httpx.TransportError."""
        origin = _origin(request.url)
        connection = self._reused(origin) or self._new(origin, request)
        try:
            answer = _answer(connection, request)
        except httpx.TransportError:
            connection.close()
            raise
        body = _Body(answer, partial(self._done, origin, connection))
        return httpx.Response(answer.status, headers=_headers(answer), stream=body)

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

    def _new(self, origin: _Origin, request: httpx.Request) -> HTTPConnection:
        scheme, host, port = origin
        seconds = request.extensions["timeout"]["connect"]
        connection = (
            HTTPSConnection(host, port, timeout=seconds, context=self._trust)
            if scheme == "https"
            else HTTPConnection(host, port, timeout=seconds)
        )
        connection.response_class = _FinalResponse
        try:
            connection.connect()
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that none can have
            raise httpx.ConnectError(str(error)) from error
        return connection

    @cached_property
    def _trust(self) -> SSLContext:
        context = httpx.create_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _done(self, origin: _Origin, connection: HTTPConnection, reusable: bool) -> None:  # noqa: FBT001 - handed on
        with self._lock:
            if reusable and not self._closed and connection.sock:
                self._idle[origin].append((time.monotonic(), connection))
            else:
                connection.close()


class _FinalResponse(HTTPResponse):
    """Passes over 102 and 103 as http.client does over 100: the answer is still to come."""

    def begin(self) -> None:
        """Read the head."""
        super().begin()
        while HTTPStatus.SWITCHING_PROTOCOLS < self.status < HTTPStatus.OK:
            self.headers = None  # type: ignore[assignment] # as before the first one
            super().begin()


class _Body(httpx.SyncByteStream):
    """What is left of an answer; `done` hears whether its connection can serve another."""

    def __init__(self, answer: HTTPResponse, done: Callable[[bool], None]) -> None:
        self._answer = answer
        self._done = done
        self._reusable = False

    def __iter__(self) -> Iterator[bytes]:
        with _errors_of_httpx():
            while chunk := self._answer.read1(_CHUNK):
                yield chunk
        if self._answer.length:
            raise httpx.RemoteProtocolError(f"the answer ended {self._answer.length} bytes early")
        self._reusable = self._answer.status != HTTPStatus.SWITCHING_PROTOCOLS

    def close(self) -> None:
        self._answer.close()
        self._done(self._reusable)


def _origin(url: httpx.URL) -> _Origin:
    port = url.port or _PORTS.get(url.scheme, 0)
    if url.scheme not in _PORTS or not url.host or port > _LAST_PORT:
        needs = f"http:// or https://, a host, and a port up to {_LAST_PORT}"
        raise httpx.UnsupportedProtocol(f"needs {needs}; got {url}")
    return url.scheme, url.raw_host.decode("ascii"), port


def _answer(connection: HTTPConnection, request: httpx.Request) -> HTTPResponse:
    """The head of it."""
    with _errors_of_httpx():
        connection.sock.settimeout(request.extensions["timeout"]["read"])
        target = request.url.raw_path.decode("ascii")
        connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.raw:
            connection.putheader(name, value)
        connection.endheaders(request.read())
        answer = connection.getresponse()
    if any(isinstance(defect, _NO_HEADERS) for defect in answer.headers.defects):
        answer.close()
        raise httpx.RemoteProtocolError("the answer's head has a line that is no header")
    return answer


def _headers(answer: HTTPResponse) -> list[tuple[bytes, bytes]]:
    """As they came: http.client reads bytes as latin-1."""
    return [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()
    ]


@contextmanager
def _errors_of_httpx() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except HTTPException as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except OSError as error:
        raise httpx.ReadError(str(error)) from error
    except ValueError as error:
        raise httpx.LocalProtocolError(str(error)) from error


def _has_ended(connection: HTTPConnection) -> bool:
    """Whether the server has closed it: an idle connection has nothing else to tell."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _close(idle: _Idle, until: float) -> None:
    """Close what has been idle since then, in seconds of the monotonic clock."""
    while idle and idle[0][0] <= until:
        idle.popleft()[1].close()
