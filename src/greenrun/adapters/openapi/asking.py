"""Requests of an OpenAPI document on their way to one service."""

import shlex
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx

from greenrun.adapters.http.client import new_client
from greenrun.adapters.http.headers import carried
from greenrun.model.interfaces.openapi import OpenApiTest

if TYPE_CHECKING:
    from greenrun.adapters.openapi.document import Example

_NAME = "greenrun"
_STARS = "********"
_LARGEST = 10_000_000
"""Bytes of an answer that are read."""

_OF_THE_TRANSPORT = frozenset({"user-agent", "accept-encoding", "accept", "connection"})
_MARK = "x-schemathesis-"


class Unanswered(Exception):
    """No whole answer came; says why."""


class Asking:
    """Sends requests to one URL, as one identity; redirects are answers like any other.

    Raises CallFailed where a header of the identity cannot be sent.
    """

    def __init__(self, examination: OpenApiTest, base_path: str) -> None:
        self._base = examination.url.rstrip("/") + base_path.rstrip("/")
        said = carried(examination.headers)
        self._identity = {name.lower(): text for name, text in said.items()}
        self._client = new_client(headers={"user-agent": _NAME})

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def request(self, example: "Example") -> httpx.Request:
        """An example as it is sent; what says who asks goes before what was made up."""
        made = example.as_transport_kwargs(base_url=self._base)
        query = made["params"]
        query = query if isinstance(query, str) else urlencode(query or {}, doseq=True)
        cookies = {"cookie": _cookies(made["cookies"])} if made["cookies"] else {}
        headers = {**_chosen(made["headers"]), **cookies, **self._identity}
        raw = {name.encode(): text.encode("latin-1", "replace") for name, text in headers.items()}
        url = f"{made['url']}?{query}" if query else made["url"]
        return self._client.build_request("GET", url, headers=raw)

    def answer(self, request: httpx.Request, within: timedelta) -> httpx.Response:
        """The whole answer to a request. Raises Unanswered where it does not come in time."""
        seconds = within.total_seconds()
        request.extensions["timeout"] = httpx.Timeout(seconds).as_dict()
        try:
            return self._received(request, time.monotonic() + seconds)
        except httpx.TimeoutException as error:
            raise Unanswered(f"no whole answer within {seconds:.1f} s") from error
        except httpx.HTTPError as error:
            raise Unanswered(f"no answer: {type(error).__name__}: {error}") from error

    def curl(self, request: httpx.Request) -> str:
        """The request as a line that people can repeat, without what says who asks."""
        shown = {
            name: _STARS if name in self._identity else text
            for name, text in request.headers.items()
            if name not in {*_OF_THE_TRANSPORT, "host"} - self._identity.keys()
        }
        named = (part for name, text in shown.items() for part in ("-H", f"{name}: {text}"))
        return shlex.join(["curl", *named, str(request.url)])

    def _received(self, request: httpx.Request, deadline: float) -> httpx.Response:
        began, body = time.monotonic(), bytearray()
        response = self._client.send(request, stream=True)
        try:
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > deadline or len(body) > _LARGEST:
                    raise Unanswered(f"no end of the answer after {len(body)} bytes")
        finally:
            response.close()
        return _whole(response, bytes(body), time.monotonic() - began)


def _whole(response: httpx.Response, body: bytes, seconds: float) -> httpx.Response:
    """The answer with its body in plain; schemathesis wants to know how long it took."""
    headers = [(name, text) for name, text in response.headers.multi_items() if _of_plain(name)]
    whole = httpx.Response(
        response.status_code, headers=headers, content=body, request=response.request
    )
    whole.elapsed = timedelta(seconds=seconds)
    return whole


def _of_plain(header: str) -> bool:
    return header not in ("content-encoding", "content-length", "transfer-encoding")


def _chosen(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that an example has chosen, without those of every request."""
    lower = {name.lower(): text for name, text in headers.items()}
    return {
        name: text
        for name, text in lower.items()
        if name not in _OF_THE_TRANSPORT and not name.startswith(_MARK)
    }


def _cookies(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={text}" for name, text in cookies.items())
