"""Who is asked, over which connection, trusted by whom."""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Barrier, Event

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from greenrun.adapters.http.web import HttpWeb
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import HttpRequest
from tests.adapters.raw_server import OK, saying, serving

NEEDS = "UnsupportedProtocol: needs http:// or https://, a host, and a port"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://127.0.0.1/", NEEDS),
        ("127.0.0.1/", NEEDS),
        ("http:///a", NEEDS),
        ("http://127.0.0.1:99999/", NEEDS),
        ("http://127.0.0.1:0/", NEEDS),
        (f"http://{64 * 'a'}.example/", "UnicodeError: .*label"),
    ],
)
def test_an_address_that_cannot_be_meant_is_a_failed_call(
    web: HttpWeb, url: str, told: str
) -> None:
    with pytest.raises(CallFailed, match=told):
        web.send(HttpRequest(url))


def test_a_connection_that_the_server_has_closed_is_not_used_again(web: HttpWeb) -> None:
    closed = Event()

    def serve(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()
        return False

    with serving(serve) as server:
        for _ in range(3):
            closed.clear()
            assert web.send(HttpRequest(f"http://{server.address}/")).status == 200
            assert closed.wait(5)
    assert [len(asked) for asked in server.requests] == [1, 1, 1]


def test_a_cookie_of_one_identity_is_not_sent_for_another(web: HttpWeb) -> None:
    answer = OK.replace(b"\r\n\r\n", b"\r\nset-cookie: session=admin; path=/\r\n\r\n")
    with serving(saying(answer)) as server:
        for _ in range(2):
            web.send(HttpRequest(f"http://{server.address}/"))
        web.close()
    ((first, second),) = server.requests
    assert b"cookie" not in first.lower()
    assert b"cookie" not in second.lower()


def test_a_connection_that_will_be_closed_is_not_used_again(web: HttpWeb) -> None:
    closing_soon = OK.replace(b"\r\n\r\n", b"\r\nconnection: x-foo\r\nconnection: close\r\n\r\n")
    with serving(saying(closing_soon)) as server:
        for _ in range(2):
            assert web.send(HttpRequest(f"http://{server.address}/")).body == "ok"
        web.close()
    assert [len(asked) for asked in server.requests] == [1, 1]


def test_threads_have_connections_of_their_own(web: HttpWeb) -> None:
    together = Barrier(4)

    def serve(connection: socket.socket, _: bytes) -> bool:
        together.wait(5)
        connection.sendall(OK)
        return True

    with serving(serve) as server, ThreadPoolExecutor(4) as threads:
        for _ in range(2):
            probes = 4 * [HttpRequest(f"http://{server.address}/")]
            assert [answer.body for answer in threads.map(web.send, probes)] == 4 * ["ok"]
        web.close()
    assert [len(asked) for asked in server.requests] == [2, 2, 2, 2]


def test_a_method_that_http_does_not_carry_is_a_failed_call(web: HttpWeb) -> None:
    with serving(saying(OK)) as server, pytest.raises(CallFailed, match="ValueError: "):
        web.send(HttpRequest(f"http://{server.address}/", "GET\r\nx:"))


def test_an_answer_that_comes_after_the_end_leaves_no_connection(web: HttpWeb) -> None:
    asked, ended = Event(), Event()

    def serve(connection: socket.socket, _: bytes) -> bool:
        asked.set()
        assert ended.wait(5)
        connection.sendall(OK)
        return True

    with serving(serve) as server, ThreadPoolExecutor(1) as threads:
        answer = threads.submit(web.send, HttpRequest(f"http://{server.address}/"))
        assert asked.wait(5)
        web.close()
        ended.set()
        assert answer.result().body == "ok"


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


def test_a_certificate_that_is_trusted(certificate: ssl.SSLContext, web: HttpWeb) -> None:
    with serving(saying(OK), certificate) as server:
        for _ in range(2):
            assert web.send(HttpRequest(f"https://{server.address}/")).body == "ok"
        web.close()
    assert [len(asked) for asked in server.requests] == [2]


def test_what_follows_an_answer_is_no_other_answer(
    certificate: ssl.SSLContext, web: HttpWeb
) -> None:
    long = b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n" + 10_000 * b"."
    stray = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstray"
    with serving(saying(long + stray), certificate) as server:
        for _ in range(2):
            assert len(web.send(HttpRequest(f"https://{server.address}/")).body) == 10_000
        web.close()


def test_a_certificate_of_somebody_else_is_a_failed_call(
    web: HttpWeb, certificate: ssl.SSLContext
) -> None:
    port_of = "https://localhost:{}/"
    with (
        serving(saying(OK), certificate) as server,
        pytest.raises(CallFailed, match=r"SSLCertVerificationError: .*certificate"),
    ):
        web.send(HttpRequest(port_of.format(server.address.rpartition(":")[2])))


def test_a_proxy_is_used_where_the_variables_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(saying(OK)) as server:
        monkeypatch.setenv("http_proxy", f"http://{server.address}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with closing(HttpWeb(str, within=timedelta(seconds=1))) as web:
            assert web.send(HttpRequest("http://shop.example/a")).body == "ok"
    ((request,),) = server.requests
    assert request.startswith(b"GET http://shop.example/a HTTP/1.1")


@pytest.mark.parametrize("variable", ["all_proxy", "http_proxy"])
def test_a_socks_proxy_is_one_too(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as proxy:
        seen = proxy.submit(_relay_by_socks, listener)
        monkeypatch.setenv(variable, f"socks5://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with closing(HttpWeb(str, within=timedelta(seconds=5))) as web:
            assert web.send(HttpRequest("http://192.0.2.1/a")).body == "ok"
    assert seen.result().startswith(b"GET /a HTTP/1.1")


def _relay_by_socks(listener: socket.socket) -> bytes:
    """Version 5 without a login; answers for whoever was asked for. Source: RFC 1928."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(5)
        connection.recv(64)
        connection.sendall(b"\x05\x00")
        connection.recv(64)
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
        request = connection.recv(65536)
        connection.sendall(OK)
        return request


@pytest.mark.parametrize("variable", ["all_proxy", "https_proxy"])
@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("gopher://me:geheim@proxy.example", "Unknown scheme for proxy URL"),
        ("http://proxy.example:port", "Invalid port: 'port'"),
    ],
)
def test_a_proxy_that_cannot_be_meant_is_refused_without_its_password(
    variable: str, proxy: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(CallFailed, match=f"environment names: got {told}.*needs http://") as failed:
        HttpWeb(str)
    assert "geheim" not in str(failed.value)
    assert "unset ALL_PROXY" in failed.value.hint
