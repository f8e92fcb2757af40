"""Requests as users send them, over HTTP and WebSocket."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.request import getproxies

import httpx
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)
from websockets.sync.client import ClientConnection, connect

from greenrun.adapters.http.client import ProxiedConnections
from greenrun.adapters.http.limits import MOST_BYTES, EndlessAnswer, carried, inflated
from greenrun.adapters.http.wire import Connections, WireRequest, WireResponse
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import HttpRequest, HttpResponse
from greenrun.model.text import without_passwords

_NAME = "greenrun"
_HEADERS = {"accept": "*/*", "accept-encoding": "gzip, deflate", "user-agent": _NAME}
_QUIET = timedelta(milliseconds=200)
_NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, HTTPException, OSError, ValueError)


class _Straight(ClientConnection):
    """Stays where it was sent: what says who asks must not follow a redirect to somebody else."""

    def handshake(self, *headers: Any, **more: Any) -> None:  # noqa: ANN401 - as websockets has them
        """A redirect is an answer like any other, and no WebSocket."""
        try:
            super().handshake(*headers, **more)
        except InvalidStatus as refusal:
            raise InvalidHandshake(str(refusal)) from refusal


class HttpWeb:
    """Talks HTTP and WebSocket; connections are reused until it is closed.

    Args:
        redact: takes credentials out of whatever is handed on.
        within: how long a connection, an answer or a message may take each.
    """

    def __init__(
        self, redact: Callable[[str], str], *, within: timedelta = timedelta(seconds=30)
    ) -> None:
        self._redact = redact
        self._seconds = within.total_seconds()
        proxies = getproxies().keys() - {"no"}
        self._connections = ProxiedConnections() if proxies else Connections()

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send it once; redirects are answers like any other, and no cookie is kept.

        The latency runs from the first byte sent to the last one received, connecting included.
        Raises CallFailed where no whole answer of at most 10 MB comes in time, or a header cannot
        be sent.
        """
        seconds = self._seconds
        if request.within is not None:
            seconds = min(seconds, request.within.total_seconds())
        try:
            answer = self._connections.send(_on_the_wire(request, seconds))
            body = _body_text(answer)
        except _NO_ANSWER as error:
            raise self._no_answer(f"{request.method} {request.url}", error, seconds) from error
        return HttpResponse(
            status=answer.status,
            headers={name: self._redact(value) for name, value in answer.headers.items()},
            body=self._redact(body),
            latency=timedelta(seconds=answer.seconds),
        )

    def converse(self, url: str, message: str, headers: Mapping[str, str]) -> Sequence[str]:
        """Send one message; returns what came up to the first silence, or the end of the time.

        The headers go to this address alone: a redirect is no WebSocket.

        `url` may be that of the service (`http`, `https`) or `ws`, `wss`.
        """
        address = "ws" + url.removeprefix("http") if url.startswith("http") else url
        try:
            with connect(
                address,
                open_timeout=self._seconds,
                close_timeout=_QUIET.total_seconds(),
                user_agent_header=_NAME,
                additional_headers=carried(headers),
                create_connection=_Straight,
            ) as connection:
                connection.send(message)
                return [self._redact(text) for text in _received(connection, self._seconds)]
        except (OSError, ValueError, WebSocketException) as error:
            raise self._no_answer(f"a message to {address}", error, self._seconds) from error

    def _no_answer(self, asked: str, error: Exception, seconds: float) -> CallFailed:
        late = isinstance(error, httpx.TimeoutException | TimeoutError)
        reason = f"nothing within {seconds:.3g} s" if late else self._shown(str(error))
        return CallFailed(
            f"got no answer to {self._shown(asked)}: got {type(error).__name__}: {reason}"
        )

    def _shown(self, text: str) -> str:
        return without_passwords(self._redact(text))


def _on_the_wire(request: HttpRequest, seconds: float) -> WireRequest:
    """A body is written by httpx."""
    named = {name.lower(): value for name, value in carried(request.headers).items()}
    headers, body = {**_HEADERS, **named}, None
    if request.json is not None or request.files:
        written = httpx.Request(
            request.method,
            request.url,
            headers=headers,
            json=request.json,
            files=request.files or None,
        )
        headers, body = dict(written.headers.items()), written.read()
    return WireRequest(request.method.upper(), request.url, headers, body, seconds)


def _body_text(answer: WireResponse) -> str:
    """The body as text, decompressed."""
    body = inflated(answer.body, answer.headers.get("content-encoding", ""))
    return body.decode(_charset(answer.headers.get("content-type", "")), errors="replace")


@lru_cache(maxsize=64)
def _charset(content_type: str) -> str:
    """What the type names; UTF-8 where it names nothing that can be read."""
    answer = httpx.Response(HTTPStatus.OK, headers=[(b"content-type", content_type.encode())])
    named = answer.charset_encoding or "utf-8"
    try:
        b"a".decode(named, errors="replace")
    except (LookupError, ValueError):
        return "utf-8"
    return named


def _received(connection: ClientConnection, seconds: float) -> list[str]:
    """All texts up to a silence or the end of the time.

    Raises TimeoutError for nothing at all, and EndlessAnswer.
    """
    ends = time.monotonic() + seconds
    texts = [_text(connection.recv(timeout=seconds))]
    left_bytes = MOST_BYTES - len(texts[0])
    with suppress(TimeoutError, ConnectionClosed):
        while (left := ends - time.monotonic()) > 0:
            texts.append(_text(connection.recv(timeout=min(left, _QUIET.total_seconds()))))
            left_bytes -= len(texts[-1])
            if left_bytes < 0:
                raise EndlessAnswer
    return texts


def _text(message: str | bytes) -> str:
    return message if isinstance(message, str) else message.decode(errors="replace")
