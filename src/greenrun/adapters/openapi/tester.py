"""GET requests made from an OpenAPI document, and judged by it, with schemathesis."""

import shlex
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx

from greenrun.adapters.http.client import BoundedClient
from greenrun.adapters.http.limits import DecodingError, EndlessAnswer, carried, inflated
from greenrun.model.errors import ReleaseError
from greenrun.model.extras import OPENAPI
from greenrun.model.interfaces.openapi import Deviation, OpenApiTest, OpenApiTestResult

if TYPE_CHECKING:
    from greenrun.adapters.openapi.document import Example, Operation

_NAME = "greenrun"
_STARS = "********"
_OF_THE_TRANSPORT = frozenset({"user-agent", "accept-encoding", "accept", "connection"})
_MARK = "x-schemathesis-"
_EXCERPT = 200
"""Characters of an answer that a message quotes; cut when they are redacted, never before."""


class Schemathesis:
    """Makes examples from the schemas of a document, the same ones each time, and tries them.

    Args:
        redact: takes credentials out of whatever is handed on.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact

    def examine(self, examination: OpenApiTest) -> OpenApiTestResult:
        """Ask in rounds, one example of each operation a round, until the time is up."""
        OPENAPI.require("make requests from an OpenAPI document")
        from greenrun.adapters.openapi.document import read_document  # noqa: PLC0415 - takes a while

        document = read_document(examination.document, examination.within)
        operations = {each.name: each for each in document.operations}
        if unknown := sorted(examination.aside - operations.keys()):
            raise ReleaseError(
                f"got {', '.join(unknown)} to leave aside, needs GET operations of the document: "
                f"{', '.join(operations)}"
            )
        tried = [each for name, each in operations.items() if name not in examination.aside]
        with closing(_Sender(examination, document.base_path)) as sender:
            return _Run(sender, examination, self._redact).of(tried)


class _Run:
    """Requests and their answers, until the time is up."""

    def __init__(
        self, sender: "_Sender", examination: OpenApiTest, redact: Callable[[str], str]
    ) -> None:
        self._sender = sender
        self._examination = examination
        self._redact = redact
        self._answered: dict[str, int] = {}
        self._deviations: dict[tuple[str, str], Deviation] = {}

    def of(self, operations: "list[Operation]") -> OpenApiTestResult:
        deadline = time.monotonic() + self._examination.within.total_seconds()
        self._answered = dict.fromkeys((each.name for each in operations), 0)
        queues = [(each, self._examples(each, deadline)) for each in operations]
        for turn in range(self._examination.examples):
            for operation, examples in queues:
                left = timedelta(seconds=deadline - time.monotonic())
                if turn < len(examples) and left > timedelta():
                    self._try(operation, examples[turn], min(left, self._examination.each_within))
        return OpenApiTestResult(self._answered, tuple(self._deviations.values()))

    def _examples(self, operation: "Operation", deadline: float) -> "list[Example]":
        from greenrun.adapters.openapi.document import Unusable  # noqa: PLC0415 - likewise

        try:
            left = timedelta(seconds=max(deadline - time.monotonic(), 0))
            return operation.examples(self._examination.examples, left)
        except Unusable as error:
            self._note(operation, "", str(error), "a definition that requests can be made of")
            return []

    def _try(self, operation: "Operation", example: "Example", within: timedelta) -> None:
        request = self._sender.request(example)
        self._answered[operation.name] += 1
        try:
            response = self._sender.answer(request, within)
        except _Unanswered as error:
            self._note(operation, self._sender.curl(request), str(error), "an answer")
            return
        for got, needs in operation.deviations(example, response, within):
            self._note(operation, self._sender.curl(request), got, needs)

    def _note(self, operation: "Operation", request: str, got: str, needs: str) -> None:
        """Keep the first deviation of each kind."""
        told = _excerpt(self._redact(got))
        found = Deviation(operation.name, self._redact(request), told, needs)
        self._deviations.setdefault((operation.name, needs), found)


class _Unanswered(Exception):
    """No whole answer came; says why."""


class _Sender:
    """Sends requests to one URL, as one identity; redirects are answers like any other.

    Raises CallFailed where a header of the identity cannot be sent.
    """

    def __init__(self, examination: OpenApiTest, base_path: str) -> None:
        self._base = examination.url.rstrip("/") + base_path.rstrip("/")
        sent = carried(examination.headers)
        self._identity = {name.lower(): text for name, text in sent.items()}
        seconds = examination.each_within.total_seconds()
        headers = {"user-agent": _NAME, "accept-encoding": "gzip, deflate"}
        self._client = BoundedClient(seconds=seconds, headers=headers)

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
        """The whole answer to a request. Raises _Unanswered where it does not come in time."""
        seconds = within.total_seconds()
        request.extensions["timeout"] = httpx.Timeout(seconds).as_dict()
        began = time.monotonic()
        try:
            with closing(self._client.send(request, stream=True)) as response:
                sent = b"".join(response.iter_raw())
            body = inflated(sent, response.headers.get("content-encoding", ""))
        except httpx.TimeoutException as error:
            raise _Unanswered(f"no whole answer within {seconds:.1f} s") from error
        except (httpx.HTTPError, EndlessAnswer, DecodingError) as error:
            raise _Unanswered(f"no answer: {type(error).__name__}: {error}") from error
        return _whole(response, body, time.monotonic() - began)

    def curl(self, request: httpx.Request) -> str:
        """The request as a line that people can repeat, without what says who asks."""
        shown = {
            name: _STARS if name in self._identity else text
            for name, text in request.headers.items()
            if name not in {*_OF_THE_TRANSPORT, "host"} - self._identity.keys()
        }
        named = (part for name, text in shown.items() for part in ("-H", f"{name}: {text}"))
        return shlex.join(["curl", *named, str(request.url)])


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


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}..."
