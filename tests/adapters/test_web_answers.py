"""Answers as servers may give them, byte by byte."""

import gzip
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from greenrun.adapters.web import HttpxWeb
from greenrun.errors import CallFailed
from greenrun.ports import Probe

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Serve = Callable[[socket.socket, bytes], bool]
"""Answers a request on a connection; False ends it."""


class Server:
    """Keeps every request, by the connection that it came on."""

    def __init__(self, serve: Serve, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[list[bytes]] = []
        self._serve = serve
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._accept)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        threads = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            threads.append(Thread(target=self._converse, args=(connection,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _converse(self, plain: socket.socket) -> None:
        plain.settimeout(5)
        with plain, suppress(ssl.SSLError):  # who does not trust us hangs up
            context = self._context
            self._talk(context.wrap_socket(plain, server_side=True) if context else plain)

    def _talk(self, connection: socket.socket) -> None:
        asked: list[bytes] = []
        self.requests.append(asked)
        with connection:
            while request := _request(connection):
                asked.append(request)
                if not self._serve(connection, request):
                    return


def _request(connection: socket.socket) -> bytes:
    received = b""
    while not _is_whole(received):
        try:
            part = connection.recv(65536)
        except OSError:
            return b""
        if not part:
            return b""
        received += part
    return received


def _is_whole(received: bytes) -> bool:
    head, ended, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(ended) and len(body) == (int(length[1]) if length else 0)


def saying(answer: bytes) -> Serve:
    """The same answer always; one that ends with its connection is not followed by another."""

    def serve(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(answer)
        return b"connection: close" not in answer

    return serve


@contextmanager
def serving(serve: Serve, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    with closing(Server(serve, context)) as server:
        yield server


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpxWeb]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with closing(HttpxWeb(str, within=timedelta(seconds=1))) as web:
        yield web


ZIPPED = gzip.compress(b"ok")


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%s"
        % (len(ZIPPED), ZIPPED),
        b"HTTP/1.1 200 OK\r\nx: %s\r\ncontent-length: 2\r\n\r\nok" % (b"y" * 60_000),
    ],
    ids=["plain", "after 100", "chunked", "up to the end", "zipped", "long head"],
)
def test_an_answer_is_read_however_it_is_sent(web: HttpxWeb, answer: bytes) -> None:
    with serving(saying(answer)) as server:
        probe = Probe(f"http://{server.address}/a?b=c")
        found = [web.ask(probe) for _ in range(2)]
        assert [(one.status, one.body) for one in found] == 2 * [(200, "ok")]
        web.close()
    assert all(request.startswith(b"GET /a?b=c HTTP/1.1") for (request, *_) in server.requests)


@pytest.mark.parametrize(
    ("method", "answer", "status"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", 200),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n", 304),
    ],
)
def test_an_answer_without_a_body_ends_where_it_ends(
    web: HttpxWeb, method: str, answer: bytes, status: int
) -> None:
    with serving(saying(answer)) as server:
        found = [web.ask(Probe(f"http://{server.address}/", method)) for _ in range(2)]
        assert [(one.status, one.body) for one in found] == 2 * [(status, "")]
        web.close()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000,
    ],
    ids=["nothing", "nonsense", "cut off", "endless head"],
)
def test_no_answer_is_a_failed_call(web: HttpxWeb, answer: bytes) -> None:
    def serve(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(answer)
        return False

    with (
        serving(serve) as server,
        pytest.raises(CallFailed, match=r"got no answer to GET .*: got [A-Za-z]*Error: "),
    ):
        web.ask(Probe(f"http://{server.address}/"))


def test_a_server_that_dribbles_has_the_same_time_as_others(web: HttpxWeb) -> None:
    over = Event()

    def dribble(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(100):
            if over.wait(0.1):
                break
            connection.sendall(b".")
        return False

    with serving(dribble) as server:
        with pytest.raises(CallFailed, match="ReadTimeout: nothing within 1 s"):
            web.ask(Probe(f"http://{server.address}/"))
        over.set()


def test_a_probe_may_have_less_time(web: HttpxWeb) -> None:
    over = Event()
    with serving(lambda *_: over.wait(5) and False) as server:
        with pytest.raises(CallFailed, match=r"ReadTimeout: nothing within 0\.05 s"):
            web.ask(Probe(f"http://{server.address}/", within=timedelta(milliseconds=50)))
        over.set()


def test_a_connection_that_the_server_has_closed_is_not_used_again(web: HttpxWeb) -> None:
    closed = Event()

    def serve(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()
        return False

    with serving(serve) as server:
        for _ in range(3):
            closed.clear()
            assert web.ask(Probe(f"http://{server.address}/")).status == 200
            assert closed.wait(5)
    assert [len(asked) for asked in server.requests] == [1, 1, 1]


def test_a_body_is_sent_with_its_length(web: HttpxWeb) -> None:
    with serving(saying(OK)) as server:
        web.ask(Probe(f"http://{server.address}/", "POST", json={"a": 1}))
        web.close()
    ((request,),) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert b"content-length: 7" in head.lower()
    assert body == b'{"a":1}'


def test_a_cookie_of_one_identity_is_not_sent_for_another(web: HttpxWeb) -> None:
    answer = OK.replace(b"\r\n\r\n", b"\r\nset-cookie: session=admin; path=/\r\n\r\n")
    with serving(saying(answer)) as server:
        for _ in range(2):
            web.ask(Probe(f"http://{server.address}/"))
        web.close()
    ((first, second),) = server.requests
    assert b"cookie" not in first.lower()
    assert b"cookie" not in second.lower()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "127.0.0.1/", "http://127.0.0.1:99999/"])
def test_an_address_that_cannot_be_meant_is_a_failed_call(web: HttpxWeb, url: str) -> None:
    with pytest.raises(CallFailed):
        web.ask(Probe(url))


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of a server at 127.0.0.1, signed by nobody but itself; `SSL_CERT_FILE` trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop")])
    today = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    both = tmp_path / "certificate.pem"
    both.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(both))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


def test_a_certificate_that_is_trusted(certificate: ssl.SSLContext, web: HttpxWeb) -> None:
    with serving(saying(OK), certificate) as server:
        for _ in range(2):
            assert web.ask(Probe(f"https://{server.address}/")).body == "ok"
        web.close()
    assert [len(asked) for asked in server.requests] == [2]


def test_a_certificate_of_somebody_else_is_a_failed_call(
    web: HttpxWeb, certificate: ssl.SSLContext
) -> None:
    port_of = "https://localhost:{}/"
    with (
        serving(saying(OK), certificate) as server,
        pytest.raises(CallFailed, match=r"ConnectError: .*certificate"),
    ):
        web.ask(Probe(port_of.format(server.address.rpartition(":")[2])))


def test_a_proxy_is_used_where_the_variables_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(saying(OK)) as server:
        monkeypatch.setenv("http_proxy", f"http://{server.address}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with closing(HttpxWeb(str, within=timedelta(seconds=1))) as web:
            assert web.ask(Probe("http://shop.example/a")).body == "ok"
    ((request,),) = server.requests
    assert request.startswith(b"GET http://shop.example/a HTTP/1.1")
