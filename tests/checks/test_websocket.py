"""WebSockets, real ones: messages are answered, and handshakes refused to strangers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from threading import Thread

import pytest
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from greenrun.adapters.http.web import HttpWeb
from greenrun.checks.http import verification
from greenrun.model.errors import CallFailed, GateClosed
from greenrun.model.interfaces import HttpRequest, HttpResponse
from greenrun.release.prober import Prober
from greenrun.release.release import Release
from tests.checks.deployed import deploy
from tests.conftest import World
from tests.fakes.telling import URL

IDENTITIES = {"a user": {"authorization": "Bearer x"}, "nobody": {}}


def converse(connection: ServerConnection) -> None:
    for message in connection:
        assert isinstance(message, str)
        assert connection.request is not None
        connection.send("silence" if "mute" in connection.request.path else f"heard {message}")


def admit(connection: ServerConnection, request: Request) -> Response | None:
    """Everybody at /open and /mute, who has a token at /private, nobody elsewhere."""
    known = request.headers.get("authorization") == "Bearer x"
    if request.path.startswith(("/open", "/mute")) or (request.path == "/private" and known):
        return None
    return connection.respond(HTTPStatus.FORBIDDEN, "")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(converse, "127.0.0.1", 0, process_request=admit) as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


class There:
    """The web as it is, with the candidate at an address of this machine."""

    def __init__(self, web: HttpWeb, address: str) -> None:
        self._web = web
        self._address = address

    def send(self, probe: HttpRequest) -> HttpResponse:
        return self._web.send(replace(probe, url=self._moved(probe.url)))

    def converse(self, url: str, message: str, headers: Mapping[str, str]) -> Sequence[str]:
        return self._web.converse(self._moved(url), message, headers)

    def _moved(self, url: str) -> str:
        return url.replace(f"{URL.removeprefix('http')}/candidate", self._address)


@pytest.fixture
def deployed(release: Release, world: World, server: Server) -> Iterator[Release]:
    host, port = server.socket.getsockname()
    deploy(release)
    with closing(HttpWeb(str, within=timedelta(seconds=5))) as web:
        world.web = There(web, f"://{host}:{port}")  # type: ignore[assignment]  # the real one
        release.dependencies = world.dependencies
        release.prober = Prober(world.dependencies, IDENTITIES)
        yield release


def test_a_message_is_answered(deployed: Release, world: World) -> None:
    verification.converses(deployed, "/open", "hello")
    assert world.evidence.kept["conversation"] == "> hello\nheard hello"


def test_a_conversation_is_a_users(deployed: Release) -> None:
    verification.converses(deployed, "/private", "hello")
    with pytest.raises(CallFailed, match="HTTP 403"):
        verification.converses(deployed, "/private", "hello", identity="nobody")


def test_an_answer_to_something_else(deployed: Release) -> None:
    with pytest.raises(GateClosed, match=r"WebSocket /mute: got \['silence'\], needs an answer to"):
        verification.converses(deployed, "/mute", "hello")


def test_a_websocket_opens_to_those_who_may(deployed: Release, world: World) -> None:
    verification.opens_only_to(deployed, "/private", "a user", "nobody")
    assert world.evidence.kept["handshakes"] == "a user: 101\nnobody: 403"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/open", "WebSocket /open as nobody: got status 101, needs 401 or 403"),
        ("/nothing", "WebSocket /nothing as a user: got status 403, needs 101"),
    ],
)
def test_a_websocket_that_is_open_or_none(deployed: Release, path: str, reason: str) -> None:
    with pytest.raises(GateClosed, match=reason):
        verification.opens_only_to(deployed, path, "a user", "nobody")
