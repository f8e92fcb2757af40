"""Registries that say anything at all: each time the digest that was asked for, or one error."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event
from time import monotonic

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.adapters.http.client import BoundedClient
from greenrun.adapters.registry.address import Address
from greenrun.adapters.registry.login import Login
from greenrun.adapters.registry.registry import DockerRegistry
from greenrun.model.errors import CallFailed
from greenrun.model.image import Digest
from tests.adapters.raw_server import Serve, saying, serving
from tests.fakes import FakeClock

MANIFEST = Digest("sha256:" + "1" * 64)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(
            st.sampled_from(["config", "digest", "manifests", "platform", "tags", "token", "os"]),
            parts,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def whole(body: bytes, status: str = "200 OK", head: bytes = b"") -> bytes:
    start = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n".encode()
    return start + head + b"\r\n" + body


@contextmanager
def registry(serve: Serve) -> Iterator[tuple[DockerRegistry, str]]:
    """An adapter, and a repository of a server that answers so."""

    def login(_: Address) -> Login:
        return Login("me", "geheim")

    with ExitStack() as stack:
        server = stack.enter_context(serving(serve))
        adapter = stack.enter_context(closing(DockerRegistry(FakeClock(), login)))
        yield adapter, f"{server.address}/team/app"


@dataclass
class Mood:
    """The present answer of a server that lives as long as all examples of a property."""

    answer: bytes = b""
    asked: list[bytes] = field(default_factory=list)

    def serve(self, connection: socket.socket, request: bytes) -> bool:
        self.asked.append(request)
        connection.sendall(self.answer)
        return False


QUESTIONS: dict[str, Callable[[DockerRegistry, str], object]] = {
    "digest": lambda adapter, repository: adapter.digest(repository, "one"),
    "image id": lambda adapter, repository: adapter.image_id(repository, MANIFEST),
    "tags": lambda adapter, repository: adapter.tags(repository),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_any_json_is_read_or_refused(question: Callable[[DockerRegistry, str], object]) -> None:
    mood = Mood()
    with registry(mood.serve) as (adapter, repository):

        @settings(max_examples=100, deadline=None)
        @given(JSON)
        def refuses(found: object) -> None:
            mood.answer = whole(json.dumps(found).encode(), head=b"connection: close\r\n")
            with suppress(CallFailed):
                question(adapter, repository)

        refuses()


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_any_bytes_are_read_or_refused(question: Callable[[DockerRegistry, str], object]) -> None:
    mood = Mood()
    with registry(mood.serve) as (adapter, repository):

        @settings(max_examples=50, deadline=None)
        @given(st.binary(max_size=60), st.booleans())
        def refuses(body: bytes, headed: bool) -> None:  # noqa: FBT001 - of hypothesis
            mood.answer = whole(body) if headed else body
            with suppress(CallFailed):
                question(adapter, repository)

        refuses()


def test_any_challenge_is_answered_or_refused() -> None:
    mood = Mood()
    with registry(mood.serve) as (adapter, repository):

        @settings(max_examples=100, deadline=None)
        @given(
            st.sampled_from(["Bearer ", "Basic ", "Bearer", ""]),
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
            | st.sampled_from(
                [
                    'realm=""',
                    f'realm="http://{"x" * 64}.test"',
                    'realm="http://[", service=x',
                    "realm",
                    'realm="ftp://x"',
                    "realm=",
                ]
            ),
        )
        def refuses(scheme: str, challenge: str) -> None:
            head = f"www-authenticate: {scheme}{challenge}\r\nconnection: close\r\n"
            mood.answer = whole(b"", "401 Unauthorized", head.encode())
            with pytest.raises(CallFailed):
                adapter.digest(repository, "one")

        refuses()


@pytest.mark.parametrize(
    "given_token",
    [
        b"[]",
        b"{}",
        b"nothing",
        b'{"token": 1}',
        b'{"token": "a\\nb"}',
        b'{"token": "\\u00fc"}',
        b"[" * 100_000,
        b"\xff",
        json.dumps({"token": "x" * 100_000}).encode(),
    ],
    ids=["list", "no token", "text", "number", "line break", "umlaut", "deep", "no UTF-8", "long"],
)
def test_a_token_that_is_none_is_refused(given_token: bytes) -> None:
    def serve(connection: socket.socket, request: bytes) -> bool:
        if request.startswith(b"GET /token"):
            connection.sendall(whole(given_token))
        else:
            host = connection.getsockname()
            realm = f'www-authenticate: Bearer realm="http://{host[0]}:{host[1]}/token"\r\n'
            connection.sendall(whole(b"", "401 Unauthorized", realm.encode()))
        return True

    with (
        registry(serve) as (adapter, repository),
        pytest.raises(CallFailed, match=r"could not (log in|read)") as failed,
    ):
        adapter.digest(repository, "one")
    assert "geheim" not in str(failed.value)


def without_end(head: bytes, part: bytes) -> Serve:
    def serve(connection: socket.socket, _: bytes) -> bool:
        with suppress(OSError):
            connection.sendall(head)
            while True:
                connection.sendall(part)
        return False

    return serve


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=x\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n",
    ],
    ids=["manifest", "challenge", "not found", "zipped"],
)
def test_an_answer_without_end_is_refused(head: bytes) -> None:
    with (
        registry(without_end(head, 65536 * b".")) as (adapter, repository),
        pytest.raises(CallFailed, match=r"ReadError: got more than 4\.19\d* MB, needs an answer"),
    ):
        adapter.digest(repository, "one")


def test_tags_without_end_are_refused() -> None:
    pages = whole(b'{"tags": []}', head=b'link: </v2/team/app/tags/list?n=1>; rel="next"\r\n')
    with (
        registry(saying(pages)) as (adapter, repository),
        pytest.raises(CallFailed, match="got more than 1000 pages of image tags, needs fewer"),
    ):
        adapter.tags(repository)


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("http://elsewhere.example/v2/a/tags/list", "got a next page at elsewhere.example"),
        ("http://host:port/", "got a next page that is no address"),
    ],
)
def test_a_next_page_of_another_registry_is_not_asked_for(link: str, told: str) -> None:
    page = whole(b'{"tags": []}', head=f'link: <{link}>; rel="next"\r\n'.encode())
    with registry(saying(page)) as (adapter, repository), pytest.raises(CallFailed, match=told):
        adapter.tags(repository)


DOLED = {
    "head": b"HTTP/1.1 200 OK\r\n" + 1000 * b"x: y\r\n",
    "body": b"HTTP/1.1 200 OK\r\n\r\n" + 1000 * b".",
}


@pytest.mark.parametrize("doled", DOLED.values(), ids=DOLED)
def test_an_answer_that_is_doled_out_ends_in_time(doled: bytes) -> None:
    over = Event()

    def dole(connection: socket.socket, _: bytes) -> bool:
        with suppress(OSError):
            for byte in doled:
                connection.sendall(bytes([byte]))
                if over.wait(0.05):
                    break
        return False

    with serving(dole) as server, closing(BoundedClient(seconds=0.5)) as client:
        began = monotonic()
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"http://{server.address}/")
        assert monotonic() - began < 5
        over.set()
