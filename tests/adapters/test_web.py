import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from time import monotonic
from typing import ClassVar

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from greenrun.adapters.http.web import HttpWeb
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import HttpRequest

SECRET = "hunter2"


def redact(text: str) -> str:
    return text.replace(SECRET, "********")


class Echo(BaseHTTPRequestHandler):
    """Answers what it was asked; `/slow` in two halves, `/silent` never."""

    protocol_version = "HTTP/1.1"
    peers: ClassVar[set[tuple[str, int]]] = set()
    release = Event()

    def do_GET(self) -> None:
        self.peers.add(self.client_address)
        if self.path == "/silent":
            self.release.wait(10)
            return
        self._answer()

    do_POST = do_GET  # noqa: N815 - the server looks it up by this name

    def _answer(self) -> None:
        length = int(self.headers.get("content-length", 0))
        asked = {
            "method": self.command,
            "body": self.rfile.read(length).decode(),
            "agent": self.headers["user-agent"],
            "note": self.headers["x-note"],
        }
        body = json.dumps(asked).encode()
        self.send_response(302 if self.path == "/elsewhere" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Secret", SECRET)
        self.end_headers()
        self.wfile.write(body[:5])
        if self.path == "/slow":
            self.wfile.flush()
            self.release.wait(0.2)
        self.wfile.write(body[5:])

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def address() -> Iterator[str]:
    Echo.peers.clear()
    Echo.release.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        Echo.release.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def web() -> Iterator[HttpWeb]:
    with closing(HttpWeb(redact, within=timedelta(seconds=1))) as web:
        yield web


def test_an_answer_holds_what_came_back(web: HttpWeb, address: str) -> None:
    probe = HttpRequest(f"{address}/", "POST", headers={"x-note": "well"}, json={"a": 1})
    answer = web.send(probe)
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "method": "POST",
        "body": '{"a":1}',
        "agent": "greenrun",
        "note": "well",
    }


def test_a_user_agent_of_the_probe_replaces_ours(web: HttpWeb, address: str) -> None:
    answer = web.send(HttpRequest(address, headers={"user-agent": "greenrun/one-of-its-kind"}))
    assert json.loads(answer.body)["agent"] == "greenrun/one-of-its-kind"


def test_secrets_are_redacted_from_body_and_headers(web: HttpWeb, address: str) -> None:
    answer = web.send(HttpRequest(address, headers={"x-note": SECRET}))
    assert json.loads(answer.body)["note"] == "********"
    assert answer.headers["x-secret"] == "********"


def test_the_latency_covers_the_whole_answer(web: HttpWeb, address: str) -> None:
    assert web.send(HttpRequest(f"{address}/slow")).latency >= timedelta(milliseconds=190)


def test_connections_are_reused(web: HttpWeb, address: str) -> None:
    for _ in range(5):
        web.send(HttpRequest(address))
    assert len(Echo.peers) == 1


def test_a_redirect_is_an_answer(web: HttpWeb, address: str) -> None:
    assert web.send(HttpRequest(f"{address}/elsewhere")).status == 302


def test_silence_is_a_failed_call(web: HttpWeb, address: str) -> None:
    with pytest.raises(CallFailed, match=r"no answer to GET .*/silent: got TimeoutError"):
        web.send(HttpRequest(f"{address}/silent"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_nobody_there_is_a_failed_call_without_secrets(web: HttpWeb) -> None:
    with pytest.raises(CallFailed, match="ConnectionRefusedError") as failure:
        web.send(HttpRequest(f"http://127.0.0.1:{free_port()}/?key={SECRET}"))
    assert SECRET not in str(failure.value)


def test_nonsense_for_a_url_is_a_failed_call(web: HttpWeb) -> None:
    with pytest.raises(CallFailed):
        web.send(HttpRequest("http://[nowhere"))


def converse(connection: ServerConnection) -> None:
    connection.send(f"welcome, {SECRET}")
    for message in connection:
        connection.send(f"you said {message!r}")
        if message == "and be gone":
            return


@dataclass
class Listening:
    """A server of WebSockets, and the notes of those who came."""

    address: str = ""
    notes: list[str | None] = field(default_factory=list)


@contextmanager
def listening(
    answer: Callable[[ServerConnection, Request], Response | None],
    talk: Callable[[ServerConnection], None] = converse,
) -> Iterator[Listening]:
    state = Listening()

    def note(connection: ServerConnection, request: Request) -> Response | None:
        state.notes.append(request.headers.get("x-note"))
        return answer(connection, request)

    with serve(talk, "127.0.0.1", 0, process_request=note) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        host, port = server.socket.getsockname()
        state.address = f"{host}:{port}"
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def socket_address() -> Iterator[str]:
    with listening(lambda *_: None) as server:
        yield server.address


@pytest.mark.parametrize("scheme", ["ws", "http"])
def test_a_conversation_gives_all_received(web: HttpWeb, socket_address: str, scheme: str) -> None:
    received = web.converse(f"{scheme}://{socket_address}/ws/1", "hello", {})
    assert received == ["welcome, ********", "you said 'hello'"]


def test_what_says_who_asks_goes_with_the_handshake(web: HttpWeb) -> None:
    with listening(lambda *_: None) as server:
        web.converse(f"ws://{server.address}", "hello", {"x-note": "mine"})
    assert server.notes == ["mine"]


def test_a_conversation_does_not_follow_a_redirect(web: HttpWeb) -> None:
    with listening(lambda *_: None) as elsewhere:
        there = f"ws://{elsewhere.address}/"

        def redirect(connection: ServerConnection, _: Request) -> Response:
            response = connection.respond(HTTPStatus.FOUND, "")
            response.headers["Location"] = there
            return response

        with (
            listening(redirect) as server,
            pytest.raises(CallFailed, match="HTTP 302"),
        ):
            web.converse(f"ws://{server.address}", "hello", {"x-note": "mine"})
    assert elsewhere.notes == []


@pytest.mark.parametrize("frame", [900_000, 2_000_000])
def test_a_conversation_without_end_is_a_failed_call(web: HttpWeb, frame: int) -> None:
    def talk(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            for _ in range(1000):
                connection.send(frame * "x")

    with (
        listening(lambda *_: None, talk) as server,
        pytest.raises(CallFailed, match=r"more than 10 MB|message too big"),
    ):
        web.converse(f"ws://{server.address}", "hello", {})


def test_a_server_may_end_the_conversation(web: HttpWeb, socket_address: str) -> None:
    received = web.converse(f"ws://{socket_address}", "and be gone", {})
    assert received == ["welcome, ********", "you said 'and be gone'"]


def test_a_server_that_never_falls_silent_is_heard_to_the_end_of_the_time() -> None:
    gone = Event()

    def talk(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            while not gone.wait(0.02):
                connection.send("tick")

    with (
        listening(lambda *_: None, talk) as server,
        closing(HttpWeb(redact, within=timedelta(seconds=0.5))) as web,
    ):
        begun = monotonic()
        received = web.converse(f"ws://{server.address}", "hello", {})
        assert monotonic() - begun < 3
    assert set(received) == {"tick"}
    assert len(received) > 2


UNCARRIED = ["Bearer gr\u00fcn", "Bearer x\n", " x", "x\x00y", "\ud800"]


@pytest.mark.parametrize("value", UNCARRIED)
def test_a_header_that_http_does_not_carry_is_refused_by_its_name(web: HttpWeb, value: str) -> None:
    def ask(url: str, headers: dict[str, str]) -> None:
        web.send(HttpRequest(f"http://{url}", headers=headers))

    def converse(url: str, headers: dict[str, str]) -> None:
        web.converse(f"ws://{url}", "hello", headers)

    for sent in (ask, converse):
        with pytest.raises(CallFailed) as refused:
            sent("127.0.0.1:9", {"x-note": "well", "X-Token": value})
        assert refused.value.message == (
            "could not send the header X-Token: got a value that HTTP does not carry, needs "
            "ASCII letters in one line, without blanks around them"
        )
        assert refused.value.__cause__ is refused.value.__context__ is None


def test_a_header_s_name_is_one_that_http_carries(web: HttpWeb) -> None:
    for name in ("x note", "x\0y", "", "gr\u00fcn"):
        with pytest.raises(CallFailed, match=r"could not send the header .*needs letters"):
            web.send(HttpRequest("http://127.0.0.1:9", headers={name: SECRET}))


@pytest.mark.parametrize("url", ["http://[nowhere", "ws://127.0.0.1:99999/", "ws://127.0.0.1:x/"])
def test_nonsense_for_a_socket_s_url_is_a_failed_call(web: HttpWeb, url: str) -> None:
    with pytest.raises(CallFailed, match="no answer to a message to ws"):
        web.converse(url, "hello", {})


@pytest.mark.parametrize("value", ["", "!", "Bearer  a\tb~", "{'a': 1}"])
def test_a_header_that_http_carries_is_sent(web: HttpWeb, address: str, value: str) -> None:
    answer = web.send(HttpRequest(address, headers={"x-note": value}))
    assert json.loads(answer.body)["note"] == value


def test_a_service_without_websockets_is_a_failed_call(web: HttpWeb, address: str) -> None:
    with pytest.raises(CallFailed, match="no answer to a message to ws://"):
        web.converse(address, "hello", {})


def test_a_form_of_files(web: HttpWeb, address: str) -> None:
    answer = web.send(HttpRequest(address, "POST", files={"file": ("a.txt", "some text")}))
    body = json.loads(answer.body)["body"]
    assert 'name="file"; filename="a.txt"' in body
    assert "some text" in body


def test_a_handshake_that_switches_protocols_is_an_answer(
    web: HttpWeb, socket_address: str
) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert web.send(HttpRequest(f"http://{socket_address}", headers=upgrade)).status == 101
