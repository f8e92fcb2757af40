"""EnvoyIngress in itself: what it carries, what it survives, and that it leaves nothing."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Semaphore, Thread

import grpc
import httpx
import pytest
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as serve_web_socket

from cloudrun_emulator.core.interfaces import Guard, InstanceSpec, Route
from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.ingress.process import EnvoyFailed
from cloudrun_emulator.runtime import cleanup
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from cloudrun_emulator.runtime.programs import (
    Process,
    ProgramRequest,
    ProgramResponse,
    serve_http,
)

SOON = timedelta(seconds=20)
NOBODY = Guard(frozenset())

CLOUD = """
import signal
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.core.interfaces import Route
ingress = EnvoyIngress()
print(ingress.apply("app", [Route("", {})], {})[""], flush=True)
signal.pause()
"""


class Patient:
    """A program that answers only when it is told to."""

    def __init__(self) -> None:
        self.arrived = Semaphore(0)
        self.go_on = Event()

    def __call__(self, process: Process) -> int:
        return serve_http(process, self._respond)

    def _respond(self, _: ProgramRequest) -> ProgramResponse:
        self.arrived.release()
        self.go_on.wait(SOON.total_seconds())
        return ProgramResponse("patient")


@pytest.fixture
def ingress() -> Iterator[EnvoyIngress]:
    with closing(EnvoyIngress()) as made:
        yield made


@pytest.fixture
def patient() -> Patient:
    return Patient()


@pytest.fixture
def runtime(patient: Patient) -> Iterator[InProcessRuntime]:
    with closing(InProcessRuntime({"patient": patient})) as made:
        yield made


def start(runtime: InProcessRuntime, image: str) -> tuple[str, int]:
    """The address of an instance that listens."""
    address = runtime.start(InstanceSpec("app", image, {}, {"K_REVISION": "b"})).address
    wait_until(lambda: accepts(*address), SOON, f"{image} to listen")
    return address


def accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 1).close()
    except OSError:
        return False
    return True


def port_of(url: str) -> int:
    port = httpx.URL(url).port
    assert port
    return port


def test_a_request_under_way_ends_where_it_began(
    ingress: EnvoyIngress, runtime: InProcessRuntime, patient: Patient
) -> None:
    backends = {"a": start(runtime, "patient"), "b": start(runtime, "in-process/echo")}
    url = ingress.apply("app", [Route("", {"a": 100})], backends)[""]
    with httpx.Client(trust_env=False, timeout=20) as http, ThreadPoolExecutor(4) as callers:
        calls = [callers.submit(http.get, url) for _ in range(4)]
        assert all(patient.arrived.acquire(timeout=20) for _ in calls)
        ingress.apply("app", [Route("", {"b": 100})], {"b": backends["b"]})
        assert http.get(url).json()["revision"] == "b"
        patient.go_on.set()
        assert [call.result().text for call in calls] == ['"patient"'] * 4


def test_a_change_is_not_claimed_before_envoy_has_taken_it(ingress: EnvoyIngress) -> None:
    ingress.apply("app", [Route("", {})], {})
    with ThreadPoolExecutor(1) as callers:
        os.kill(ingress.pid, signal.SIGSTOP)
        try:
            change = callers.submit(ingress.apply, "app", [Route("", {}, NOBODY)], {})
            with pytest.raises(TimeoutError):
                change.result(timeout=0.5)
        finally:
            os.kill(ingress.pid, signal.SIGCONT)
        assert httpx.get(change.result()[""], trust_env=False).status_code == 403


def test_a_client_that_leaves_is_told_as_499(
    ingress: EnvoyIngress, runtime: InProcessRuntime, patient: Patient
) -> None:
    backends = {"a": start(runtime, "patient")}
    url = ingress.apply("app", [Route("", {"a": 100})], backends)[""]
    with socket.create_connection(("127.0.0.1", port_of(url))) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: app\r\n\r\n")
        assert patient.arrived.acquire(timeout=20)
    wait_until(lambda: len(ingress.requests()) == 1, SOON, "the request to be told")
    patient.go_on.set()
    assert [(it.revision, it.status) for it in ingress.requests()] == [("a", 499)]


def test_web_sockets_pass(ingress: EnvoyIngress) -> None:
    def shout(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(str(message).upper())

    with serve_web_socket(shout, "127.0.0.1", 0) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        backends = {"a": server.socket.getsockname()[:2]}
        url = ingress.apply("app", [Route("", {"a": 100})], backends)[""]
        with connect(f"ws://127.0.0.1:{port_of(url)}/ws/1", proxy=None) as client:
            client.send("hello")
            assert client.recv(timeout=20) == "HELLO"
        server.shutdown()
        serving.join()


def test_what_envoy_refuses_changes_nothing(
    ingress: EnvoyIngress, runtime: InProcessRuntime
) -> None:
    backends = {"b": start(runtime, "in-process/echo")}
    url = ingress.apply("app", [Route("", {"b": 100})], backends)[""]
    with pytest.raises(EnvoyFailed, match="malformed IP address: nowhere"):
        ingress.apply("app", [Route("", {"a": 100})], {"a": ("nowhere", 1)})
    assert httpx.get(url, trust_env=False).json()["revision"] == "b"
    ingress.apply("app", [Route("", {})], backends)
    assert httpx.get(url, trust_env=False).status_code == 404


def test_an_envoy_that_died_is_told_as_such(ingress: EnvoyIngress) -> None:
    subprocess.run(["kill", "-9", str(ingress.pid)], check=True)
    with pytest.raises(EnvoyFailed, match=r"Envoy ended|asked Envoy"):
        ingress.apply("app", [Route("", {})], {})


def test_nothing_is_left_after_closing() -> None:
    others = scratch_folders_of(cleanup.this_process())
    ingress = EnvoyIngress()
    url = ingress.apply("app", [Route("", {})], {})[""]
    assert accepts("127.0.0.1", port_of(url))
    ingress.close()
    ingress.close()
    assert not accepts("127.0.0.1", port_of(url))
    assert scratch_folders_of(cleanup.this_process()) == others


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
def test_nothing_is_left_of_a_cloud_that_was_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CLOUD], stdout=subprocess.PIPE, text=True
    ) as cloud:
        assert cloud.stdout
        port = port_of(cloud.stdout.readline().strip())
        owner = cleanup.Owner.of(cloud.pid)
        assert accepts("127.0.0.1", port)
        assert scratch_folders_of(owner)
        cloud.send_signal(signal.SIGKILL)
    wait_until(lambda: not accepts("127.0.0.1", port), SOON, "the port to close")
    EnvoyIngress().close()
    assert not scratch_folders_of(owner)


def scratch_folders_of(owner: cleanup.Owner) -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob(f"*{owner}.ingress*"))


@contextmanager
def grpc_server() -> Iterator[tuple[str, int]]:
    """A server that speaks HTTP/2 without TLS alone; it echoes whatever it is sent."""

    def echo(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("x-told", "last"),))
        return request

    handlers = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("test.Echoes", handlers),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield "127.0.0.1", port
        finally:
            server.stop(None).wait()


def call_echo(url: str) -> tuple[bytes, dict[str, str | bytes]]:
    with grpc.insecure_channel(url.removeprefix("http://")) as channel:
        echo = channel.unary_unary("/test.Echoes/Echo", None, None)
        answer, call = echo.with_call(b"hello", timeout=10)
        return answer, dict(call.trailing_metadata())


def test_http2_without_tls_reaches_a_revision_that_wants_it(ingress: EnvoyIngress) -> None:
    with grpc_server() as address:
        url = ingress.apply("app", [Route("", {"a": 100})], {"a": address}, ["a"])[""]
        answer, trailers = call_echo(url)
    assert (answer, trailers["x-told"]) == (b"hello", "last")


def test_a_revision_that_does_not_want_it_gets_http1(ingress: EnvoyIngress) -> None:
    with grpc_server() as address:
        url = ingress.apply("app", [Route("", {"a": 100})], {"a": address})[""]
        with pytest.raises(grpc.RpcError) as error:
            call_echo(url)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
