"""httpx's client: by the proxies that the environment names, and with an end of every answer."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.cookiejar import DefaultCookiePolicy
from threading import Event, Timer
from typing import Any

import httpx

from greenrun.adapters.http.limits import MOST_BYTES, EndlessAnswer, bounded
from greenrun.adapters.http.wire import KEPT_SECONDS, WireRequest, WireResponse
from greenrun.model.errors import CallFailed

_CONNECTED = ("connect_tcp.complete", "start_tls.complete")


class BoundedClient(httpx.Client):
    """A client for one thread, whose every exchange ends, in bytes and in time.

    httpx bounds each of its reads in time, and none of its answers in bytes. A coding of the body
    that no request of ours accepts is not undone, and so cannot make it longer.

    Args:
        seconds: how long an answer may take; its head, and its body after it.
        most: bytes of a body, as they are sent.
        options: as httpx has them.

    Raises CallFailed for a proxy that cannot be meant.
    """

    def __init__(self, *, seconds: float, most: int = MOST_BYTES, **options: Any) -> None:  # noqa: ANN401 - as httpx has them
        hooks = {"response": [self._bound]}
        with _proxies_meant():
            super().__init__(timeout=seconds, event_hooks=hooks, **options)
        self._seconds = seconds
        self._most = most
        self._sockets: list[socket.socket] = []

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:  # noqa: ANN401 - as httpx has them
        """Send as httpx does. Raises httpx.HTTPError, httpx.ReadTimeout for a late answer too."""
        request.extensions = {**request.extensions, "trace": self._watch}
        allowed = request.extensions.get("timeout", {}).get("read") or self._seconds
        late = Event()
        timer = Timer(allowed, self._cut, [late])
        timer.daemon = True
        timer.start()
        try:
            return super().send(request, **options)
        except UnicodeError as error:
            told = f"{request.url.host[:100]!r} is the name of no host: {error}"
            raise httpx.ConnectError(told, request=request) from error
        except httpx.TransportError as error:
            if not late.is_set() or isinstance(error, httpx.TimeoutException):
                raise
            raise httpx.ReadTimeout("the answer has not come in time", request=request) from error
        finally:
            timer.cancel()

    def _watch(self, event: str, facts: dict[str, Any]) -> None:
        """Keep each connection that is made, the encrypted one in place of the plain one."""
        if event.endswith(_CONNECTED):
            self._sockets = [each for each in self._sockets if each.fileno() >= 0]
            self._sockets.append(facts["return_value"].get_extra_info("socket"))

    def _cut(self, late: Event) -> None:
        late.set()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _bound(self, answer: httpx.Response) -> None:
        if answer.request.headers.get("accept-encoding", "identity") == "identity":
            answer.headers.pop("content-encoding", None)
        assert isinstance(answer.stream, httpx.SyncByteStream)  # noqa: S101 - as of every Client
        allowed = answer.request.extensions.get("timeout", {}).get("read") or self._seconds
        ends = time.monotonic() + allowed
        answer.stream = _BoundedStream(answer.stream, self._most, ends)


class _BoundedStream(httpx.SyncByteStream):
    """A body up to so many bytes, and to a moment of the monotonic clock."""

    def __init__(self, stream: httpx.SyncByteStream, most: int, ends: float) -> None:
        self._stream = stream
        self._most = most
        self._ends = ends

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in bounded(self._stream, self._most):
                if time.monotonic() > self._ends:
                    raise httpx.ReadTimeout("the answer has not ended in time")
                yield part
        except EndlessAnswer as error:
            raise httpx.ReadError(f"got {error}") from error

    def close(self) -> None:
        self._stream.close()


class ProxiedConnections:
    """As Connections, by httpx's client, which knows the proxies of the environment."""

    def __init__(self) -> None:
        with _proxies_meant():
            self._client = httpx.Client(limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS))
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def send(self, request: WireRequest) -> WireResponse:
        """Return the whole answer; no cookie is kept.

        Raises httpx.HTTPError, httpx.InvalidURL, EndlessAnswer, and TimeoutError.
        """
        begun = time.monotonic()
        ends = begun + request.seconds
        with self._client.stream(
            request.method,
            request.url,
            headers=request.headers,
            content=request.body,
            timeout=request.seconds,
        ) as answer:
            body = b"".join(bounded(_until(ends, answer.iter_raw())))
            seconds = time.monotonic() - begun
            return WireResponse(answer.status_code, dict(answer.headers.items()), body, seconds)


def _until(ends: float, parts: Iterator[bytes]) -> Iterator[bytes]:
    """Raise TimeoutError where they have not ended by then."""
    for part in parts:
        yield part
        if time.monotonic() > ends:
            raise TimeoutError
    if time.monotonic() > ends:
        raise TimeoutError


@contextmanager
def _proxies_meant() -> Iterator[None]:
    try:
        yield
    except (ValueError, httpx.InvalidURL) as error:
        raise CallFailed(
            f"could not use the proxy that the environment names: got {error}, "
            "needs http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT",
            hint="correct or unset ALL_PROXY, HTTPS_PROXY and HTTP_PROXY, in either case",
        ) from error
