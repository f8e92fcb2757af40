"""The way through a proxy, which httpx knows from the environment."""

import time
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from itertools import chain

import httpx

from greenrun.adapters.http.client import new_client
from greenrun.adapters.http.connections import KEPT_SECONDS, WireRequest, WireResponse


class ProxiedConnections:
    """As Connections, by httpx's client."""

    def __init__(self) -> None:
        self._client = new_client(limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS))
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def send(self, request: WireRequest) -> WireResponse:
        """The whole answer; no cookie is kept. Raises httpx.HTTPError or httpx.InvalidURL."""
        begun = time.monotonic()
        ends = begun + request.seconds
        with self._client.stream(
            request.method,
            request.url,
            headers=request.headers,
            content=request.body,
            timeout=request.seconds,
        ) as answer:
            body = b"".join(_until(ends, answer.iter_raw()))
            seconds = time.monotonic() - begun
            return WireResponse(answer.status_code, dict(answer.headers.items()), body, seconds)


def _until(ends: float, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Raises TimeoutError where they have not ended by then."""
    for chunk in chain((b"",), chunks):
        yield chunk
        if time.monotonic() > ends:
            raise TimeoutError
