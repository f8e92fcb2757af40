"""Answers as servers may give them, byte by byte."""

import gzip
import socket
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from threading import Event
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.adapters.http.web import HttpWeb
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import HttpRequest
from tests.adapters.raw_server import OK, Serve, saying, serving

ZIPPED = gzip.compress(b"ok")


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%s"
        % (len(ZIPPED), ZIPPED),
        b"HTTP/1.1 200 OK\r\nx: %s\r\ncontent-length: 2\r\n\r\nok" % (b"y" * 60_000),
        b"HTTP/1.1 200 OK\r\ncontent-length: 2 \r\ncontent-length: 2\r\n\r\nok",
    ],
    ids=[
        "plain",
        "after 100",
        "after 102 and 103",
        "chunked",
        "up to the end",
        "zipped",
        "long head",
        "its length twice",
    ],
)
def test_an_answer_is_read_however_it_is_sent(web: HttpWeb, answer: bytes) -> None:
    with serving(saying(answer)) as server:
        probe = HttpRequest(f"http://{server.address}/a?b=c")
        found = [web.send(probe) for _ in range(2)]
        assert [(one.status, one.body) for one in found] == 2 * [(200, "ok")]
        web.close()
    assert all(request.startswith(b"GET /a?b=c HTTP/1.1") for (request, *_) in server.requests)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b"X-Note: well", "well"),
        (b"x-note: one\r\nX-NOTE: two", "one, two"),
        ("x-note: gr\u00fcn".encode(), "gr\u00fcn"),
        ("x-note: gr\u00fcn".encode("latin-1"), "gr\u00fcn"),
        (b"x-note:", ""),
        (b"x-note: well \t", "well"),
        (b"x-note: one\r\n  two", "one two"),
    ],
    ids=["its name in capitals", "twice", "utf-8", "latin-1", "empty", "blanks", "two lines"],
)
def test_a_header_is_read_however_it_is_sent(web: HttpWeb, sent: bytes, read: str) -> None:
    with serving(saying(OK.replace(b"\r\n\r\n", b"\r\n%s\r\n\r\n" % sent))) as server:
        assert web.send(HttpRequest(f"http://{server.address}/")).headers["x-note"] == read
        web.close()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain; charset=latin-1", "gr\u00fcn".encode("latin-1")),
        ("text/plain; charset=UTF-8", "gr\u00fcn".encode()),
        ("application/json", "gr\u00fcn".encode()),
        ("text/plain; charset=nonsense", "gr\u00fcn".encode()),
        ("text/plain; charset=gr\u00fcn", "gr\u00fcn".encode()),
        ("text/plain; charset=hex", "gr\u00fcn".encode()),
        ("text/plain; charset=idna", "gr\u00fcn".encode()),
    ],
)
def test_a_body_is_read_as_its_type_says(web: HttpWeb, content_type: str, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}"
    with serving(saying(f"{head}\r\n\r\n".encode() + body)) as server:
        assert web.send(HttpRequest(f"http://{server.address}/")).body == "gr\u00fcn"
        web.close()


@pytest.mark.parametrize(
    ("method", "answer", "status"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", 200),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n", 304),
        ("GET", b"HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n", 304),
    ],
)
def test_an_answer_without_a_body_ends_where_it_ends(
    web: HttpWeb, method: str, answer: bytes, status: int
) -> None:
    with serving(saying(answer)) as server:
        found = [web.send(HttpRequest(f"http://{server.address}/", method)) for _ in range(2)]
        assert [(one.status, one.body) for one in found] == 2 * [(status, "")]
        web.close()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "RemoteDisconnected: Remote end closed connection without response"),
        (b"no HTTP\r\n\r\n", "BadStatusLine: no HTTP"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
            "HTTPException: the body ended 7 bytes early",
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nok",
            "IncompleteRead: ",
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nok",
            "DecodingError: ",
        ),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000, "LineTooLong: got more than 65536 bytes"),
        (
            b"HTTP/1.1 200 OK\r\nno header\r\ncontent-length: 2\r\n\r\nok",
            "HTTPException: the head has a line that is no header",
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\nok",
            "HTTPException: content-length: got 2, 5, needs a number",
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok",
            "HTTPException: transfer-encoding: got gzip, needs chunked",
        ),
    ],
    ids=[
        "nothing",
        "nonsense",
        "cut off",
        "cut chunk",
        "not zipped",
        "endless head",
        "no header",
        "two lengths",
        "another coding",
    ],
)
def test_no_answer_is_a_failed_call(web: HttpWeb, answer: bytes, told: str) -> None:
    def serve(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(answer)
        return False

    with (
        serving(serve) as server,
        pytest.raises(CallFailed, match=rf"got no answer to GET .*: got {told}"),
    ):
        web.send(HttpRequest(f"http://{server.address}/"))


DRIBBLED = {
    "its head": (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
    "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "its body": (b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", b"."),
    "its trailers": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
        b"x: y\r\n",
    ),
}


@pytest.mark.parametrize("dribbled", DRIBBLED)
def test_a_server_that_dribbles_has_the_same_time_as_others(web: HttpWeb, dribbled: str) -> None:
    over = Event()

    def dribble(connection: socket.socket, _: bytes) -> bool:
        first, again = DRIBBLED[dribbled]
        connection.sendall(first)
        for _again in range(100):
            if over.wait(0.1):
                break
            connection.sendall(again)
        return False

    with serving(dribble) as server:
        begun = monotonic()
        with pytest.raises(CallFailed, match=r"TimeoutError: nothing within 0\.5 s"):
            web.send(HttpRequest(f"http://{server.address}/", within=timedelta(seconds=0.5)))
        assert monotonic() - begun < 5
        over.set()


def test_a_header_in_letters_of_its_own_hides_no_compressed_body(web: HttpWeb) -> None:
    named = "content-encoding: gzip\r\nx-note: gr\u00fcn\r\n".encode()
    answer = b"HTTP/1.1 200 OK\r\n%scontent-length: %d\r\n\r\n%s" % (named, len(ZIPPED), ZIPPED)
    with serving(saying(answer)) as server:
        assert web.send(HttpRequest(f"http://{server.address}/")).body == "ok"
        web.close()


def test_an_answer_before_all_was_sent_is_an_answer(web: HttpWeb) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1000)

        threads.submit(refuse)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert web.send(HttpRequest(address, "POST", json="x" * 20_000_000)).status == 413


def test_a_probe_may_have_less_time(web: HttpWeb) -> None:
    over = Event()
    with serving(lambda *_: over.wait(5) and False) as server:
        with pytest.raises(CallFailed, match=r"TimeoutError: nothing within 0\.05 s"):
            web.send(HttpRequest(f"http://{server.address}/", within=timedelta(milliseconds=50)))
        over.set()


def test_an_answer_that_ends_with_a_reset_is_a_failed_call(web: HttpWeb) -> None:
    def reset(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    with serving(reset) as server, pytest.raises(CallFailed, match="got ConnectionResetError: "):
        web.send(HttpRequest(f"http://{server.address}/"))


def test_a_body_is_sent_with_its_length(web: HttpWeb) -> None:
    with serving(saying(OK)) as server:
        web.send(HttpRequest(f"http://{server.address}/", "POST", json={"a": 1}))
        web.close()
    ((request,),) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert b"content-length: 7" in head.lower()
    assert body == b'{"a":1}'


def zipped(body: bytes, codings: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {codings}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


BOMB = gzip.compress(bytes(50_000_000))


def without_end(head: bytes) -> Serve:
    """As many bytes as the client takes."""

    def serve(connection: socket.socket, _: bytes) -> bool:
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + head)
            while True:
                connection.sendall(b"10000\r\n" + 65536 * b"." + b"\r\n")
        return False

    return serve


@pytest.mark.parametrize(
    "serve",
    [
        without_end(b"\r\n"),
        without_end(b"content-length: 1100000000\r\n\r\n"),
        without_end(b"transfer-encoding: chunked\r\n\r\n"),
        saying(zipped(BOMB, "gzip")),
        saying(zipped(gzip.compress(BOMB), "gzip, gzip")),
        saying(zipped(zlib.compress(bytes(50_000_000)), "deflate")),
    ],
    ids=["to its end", "1.1 GB", "chunks", "gzip", "gzip in gzip", "deflate"],
)
def test_a_body_without_end_is_a_failed_call(web: HttpWeb, serve: Serve) -> None:
    with (
        serving(serve) as server,
        pytest.raises(CallFailed, match="EndlessAnswer: more than 10 MB, needs an answer that"),
    ):
        web.send(HttpRequest(f"http://{server.address}/"))


def test_a_body_without_end_is_not_read_through_a_proxy_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(without_end(b"\r\n")) as server:
        monkeypatch.setenv("http_proxy", f"http://{server.address}")
        with (
            closing(HttpWeb(str)) as web,
            pytest.raises(CallFailed, match="EndlessAnswer: more than 10 MB"),
        ):
            web.send(HttpRequest("http://shop.example/"))


@pytest.mark.parametrize(
    ("codings", "body", "read"),
    [
        ("gzip, gzip", gzip.compress(ZIPPED), "ok"),
        ("deflate", zlib.compress(b"ok"), "ok"),
        ("deflate", zlib.compress(b"ok", wbits=-15), "ok"),
        ("GZIP", ZIPPED, "ok"),
        ("identity", b"ok", "ok"),
        ("nonsense", b"ok", "ok"),
    ],
    ids=["gzip in gzip", "zlib", "deflate", "capitals", "identity", "nonsense"],
)
def test_a_body_is_decompressed_as_its_head_says(
    web: HttpWeb, codings: str, body: bytes, read: str
) -> None:
    with serving(saying(zipped(body, codings))) as server:
        assert web.send(HttpRequest(f"http://{server.address}/")).body == read
        web.close()


def test_a_body_in_ever_so_many_codings_is_a_failed_call(web: HttpWeb) -> None:
    with (
        serving(saying(zipped(ZIPPED, ", ".join(100 * ["gzip"])))) as server,
        pytest.raises(CallFailed, match="DecodingError: content-encoding: got 100, needs at most"),
    ):
        web.send(HttpRequest(f"http://{server.address}/"))


def test_a_password_in_an_address_is_not_told(web: HttpWeb) -> None:
    with pytest.raises(CallFailed, match=r"http://\*{8}@127.0.0.1:1/") as failed:
        web.send(HttpRequest("http://me:geheim@127.0.0.1:1/"))
    assert "geheim" not in str(failed.value)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200\r\n"]))
def test_whatever_is_answered_is_an_answer_or_a_failed_call(answer: bytes, head: str) -> None:
    def serve(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(head.encode() + answer)
        return False

    with (
        closing(HttpWeb(str, within=timedelta(seconds=5))) as web,
        serving(serve) as server,
        suppress(CallFailed),
    ):
        web.send(HttpRequest(f"http://{server.address}/"))
