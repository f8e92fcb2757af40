"""Probes: how long a container has, when it is asked, where and how."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic, sleep

import grpc
import pytest
from google.cloud import run_v2
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from cloudrun_emulator.apis.run.probes import answers, passes_startup, window
from cloudrun_emulator.core.interfaces import STOP_GRACE, LogLine


@dataclass
class Running:
    """An instance that runs and serves port 8080, wherever it listens in fact."""

    address: tuple[str, int]

    def exit_code(self) -> None:
        """It runs."""

    def memory_bytes(self) -> None:
        """Nobody measures it."""

    def lines(self) -> Sequence[LogLine]:
        return ()

    def stop(self, grace: timedelta = STOP_GRACE) -> None:
        """It goes on."""


@dataclass
class Heard:
    """What an HTTP server was asked, and how late it answers."""

    after: float = 0
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def http_server(heard: Heard) -> Iterator[tuple[str, int]]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.paths.append(self.path)
            heard.headers.append({name.lower(): value for name, value in self.headers.items()})
            sleep(heard.after)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield "127.0.0.1", server.server_address[1]
        server.shutdown()


@contextmanager
def health_server(**statuses: int) -> Iterator[tuple[str, int]]:
    """Answers grpc.health.v1.Health for these services, NOT_FOUND for others."""

    def check(request: StringValue, context: grpc.ServicerContext) -> Int32Value:
        if request.value not in statuses:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return Int32Value(value=statuses[request.value])

    method = grpc.unary_unary_rpc_method_handler(
        check,
        request_deserializer=StringValue.FromString,
        response_serializer=Int32Value.SerializeToString,
    )
    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method}),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield "127.0.0.1", port
        finally:
            server.stop(None).wait()


@pytest.mark.parametrize(
    ("probe", "seconds"),
    [
        (run_v2.Probe(), 30),
        (run_v2.Probe(failure_threshold=1, period_seconds=240), 240),
        (run_v2.Probe(failure_threshold=4, period_seconds=5), 20),
        (run_v2.Probe(failure_threshold=100, period_seconds=10), 240),
        (run_v2.Probe(failure_threshold=1, period_seconds=10, initial_delay_seconds=5), 15),
    ],
)
def test_the_window_is_threshold_times_period_after_the_delay(
    probe: run_v2.Probe, seconds: int
) -> None:
    assert window(probe) == timedelta(seconds=seconds)


def test_nothing_is_asked_before_the_initial_delay() -> None:
    heard = Heard()
    probe = run_v2.Probe(http_get={"path": "/ready"}, initial_delay_seconds=1)
    with http_server(heard) as address:
        begun = monotonic()
        assert passes_startup(Running(address), probe, 8080, lambda: False)
    assert monotonic() - begun >= 1
    assert heard.paths == ["/ready"]


@pytest.mark.parametrize(("seconds", "passes"), [(1, False), (3, True)])
def test_an_answer_has_to_come_within_the_time_out(seconds: int, passes: bool) -> None:  # noqa: FBT001 - a column of the table above
    probe = run_v2.Probe(http_get={}, timeout_seconds=seconds)
    with http_server(Heard(after=1.3)) as address:
        assert answers(Running(address), probe, 8080) == passes


def test_the_headers_of_a_probe_are_sent() -> None:
    heard = Heard()
    probe = run_v2.Probe(http_get={"http_headers": [{"name": "X-Probe", "value": "startup"}]})
    with http_server(heard) as address:
        assert answers(Running(address), probe, 8080)
    assert heard.headers[0]["x-probe"] == "startup"


def test_a_probe_of_another_port_asks_there() -> None:
    heard = Heard()
    with http_server(heard) as (host, port):
        probe = run_v2.Probe(http_get={"path": "/other", "port": port})
        assert answers(Running((host, 1)), probe, 8080)
    assert heard.paths == ["/other"]


@pytest.mark.parametrize(
    ("service", "passes"), [("", True), ("orders", True), ("slow", False), ("absent", False)]
)
def test_a_grpc_probe_wants_serving_from_the_health_service(service: str, passes: bool) -> None:  # noqa: FBT001 - a column of the table above
    probe = run_v2.Probe(grpc={"service": service}, timeout_seconds=5)
    with health_server(**{"": 1, "orders": 1, "slow": 2}) as address:
        assert answers(Running(address), probe, 8080) == passes


def test_a_grpc_probe_of_what_speaks_no_grpc_fails() -> None:
    probe = run_v2.Probe(grpc={}, timeout_seconds=2)
    with http_server(Heard()) as address:
        assert not answers(Running(address), probe, 8080)
