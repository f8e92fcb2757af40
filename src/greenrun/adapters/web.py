"""Requests as users send them, by httpx and websockets."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import httpx
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from greenrun.errors import CallFailed
from greenrun.ports import Answer, Probe

# Servers close idle connections after a few seconds; a reused one must never be closed under us.
_KEEP_ALIVE = timedelta(seconds=2)
_NAME = "greenrun"
_QUIET = timedelta(milliseconds=200)


class HttpxWeb:
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
        self._client = httpx.Client(
            timeout=self._seconds,
            limits=httpx.Limits(keepalive_expiry=_KEEP_ALIVE.total_seconds()),
            headers={"user-agent": _NAME},
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def ask(self, probe: Probe) -> Answer:
        """Send one probe; redirects are answers like any other.

        The latency runs from the first byte sent to the last one received, connecting included.
        """
        try:
            response = self._client.request(
                probe.method, probe.url, headers=dict(probe.headers), json=probe.json
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._no_answer(f"{probe.method} {probe.url}", error) from error
        return Answer(
            status=response.status_code,
            headers={name: self._redact(value) for name, value in response.headers.items()},
            body=self._redact(response.text),
            latency=response.elapsed,
        )

    def converse(self, url: str, message: str) -> Sequence[str]:
        """Send one message; returns what came up to the first silence after an answer.

        `url` may be that of the service (`http`, `https`) or `ws`, `wss`.
        """
        address = "ws" + url.removeprefix("http") if url.startswith("http") else url
        try:
            with connect(
                address,
                open_timeout=self._seconds,
                close_timeout=_QUIET.total_seconds(),
                user_agent_header=_NAME,
            ) as connection:
                connection.send(message)
                return [self._redact(text) for text in _received(connection, self._seconds)]
        except (OSError, WebSocketException) as error:
            raise self._no_answer(f"a message to {address}", error) from error

    def _no_answer(self, asked: str, error: Exception) -> CallFailed:
        reason = self._redact(str(error)) or f"nothing within {self._seconds:g} s"
        return CallFailed(
            f"got no answer to {self._redact(asked)}: got {type(error).__name__}: {reason}"
        )


def _received(connection: ClientConnection, seconds: float) -> list[str]:
    texts = [_text(connection.recv(timeout=seconds))]
    try:
        while True:
            texts.append(_text(connection.recv(timeout=_QUIET.total_seconds())))
    except (TimeoutError, ConnectionClosed):
        return texts


def _text(message: str | bytes) -> str:
    return message if isinstance(message, str) else message.decode(errors="replace")
