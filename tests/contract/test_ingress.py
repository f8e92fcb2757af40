"""One suite for the ingress, in front of instances of every runtime."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from threading import Event

import httpx
import pytest

from cloudrun_emulator.core.interfaces import (
    Guard,
    Ingress,
    InstanceSpec,
    Route,
    Runtime,
    ServedRequest,
)
from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.docker import DockerRuntime
from cloudrun_emulator.runtime.in_process import InProcessRuntime

SOON = timedelta(seconds=20)
ALL_TO_A = {"app-a": 100, "app-b": 0}
ALL_TO_B = {"app-a": 0, "app-b": 100}

ECHO = """
import json, os, signal, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    def do_GET(self):
        _, kind, value, *_ = (self.path.partition("?")[0] + "//").split("/")
        if kind == "slow": time.sleep(int(value) / 1000)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"revision": os.environ["K_REVISION"], "headers": headers}).encode()
        self.send_response(int(value) if kind == "status" else 200)
        self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
ThreadingHTTPServer(("0.0.0.0", 8080), Echo).serve_forever()
"""


@dataclass(frozen=True)
class Stage:
    """An ingress of its own for a test, and revisions app-a and app-b that it may route to."""

    ingress: Ingress
    runtime: Runtime
    backends: Mapping[str, tuple[str, int]]

    def apply(self, weights: Mapping[str, int], timeout: timedelta = timedelta(seconds=30)) -> str:
        """The URL of the one route of `app`."""
        routes = [Route("", weights, timeout=timeout)]
        return self.ingress.apply("app", routes, self.backends)[""]

    def finished(self, number: int) -> list[ServedRequest]:
        """The requests so far, once there are `number` of them."""
        wait_until(
            lambda: len(self.ingress.requests()) >= number, SOON, f"{number} requests in the log"
        )
        return list(self.ingress.requests())


def spec(runtime: Runtime, revision: str) -> InstanceSpec:
    environment = {"K_REVISION": revision}
    if isinstance(runtime, InProcessRuntime):
        return InstanceSpec(revision, "in-process/echo", {}, environment, port=8080)
    command = ("python", "-c", ECHO)
    return InstanceSpec(revision, "python:3.11-slim", {}, environment, command, port=8080)


def start(runtime: Runtime, revision: str) -> tuple[str, int]:
    """The address of a new instance that answers."""
    host, port = runtime.start(spec(runtime, revision)).address

    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://{host}:{port}/", trust_env=False).is_success
        return False

    wait_until(answers, SOON, f"{revision} to answer")
    return host, port


@pytest.fixture(
    scope="module", params=["in-process", pytest.param("docker", marks=pytest.mark.docker)]
)
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    made: Runtime = DockerRuntime() if request.param == "docker" else InProcessRuntime()
    with closing(made):
        yield made


@pytest.fixture(scope="module")
def backends(runtime: Runtime) -> Mapping[str, tuple[str, int]]:
    return {revision: start(runtime, revision) for revision in ("app-a", "app-b")}


@pytest.fixture
def stage(runtime: Runtime, backends: Mapping[str, tuple[str, int]]) -> Iterator[Stage]:
    with closing(EnvoyIngress()) as ingress:
        yield Stage(ingress, runtime, backends)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=20) as client:
        yield client


def who(answer: httpx.Response) -> str:
    answer.raise_for_status()
    revision = answer.json()["revision"]
    assert isinstance(revision, str)
    return revision


def test_each_route_has_an_address_of_its_own(stage: Stage, http: httpx.Client) -> None:
    routes = [Route("", ALL_TO_A), Route("candidate", ALL_TO_B)]
    urls = stage.ingress.apply("app", routes, stage.backends)
    assert {name: who(http.get(url)) for name, url in urls.items()} == {
        "": "app-a",
        "candidate": "app-b",
    }


def test_a_route_keeps_its_address_while_it_exists(stage: Stage, http: httpx.Client) -> None:
    before = stage.apply(ALL_TO_A)
    routes = [Route("candidate", ALL_TO_B), Route("", ALL_TO_B)]
    assert stage.ingress.apply("app", routes, stage.backends)[""] == before
    assert stage.apply(ALL_TO_A) == before
    assert who(http.get(before)) == "app-a"


def test_requests_are_shared_by_weight(stage: Stage, http: httpx.Client) -> None:
    url = stage.apply({"app-a": 80, "app-b": 20})
    answered = Counter(who(http.get(url)) for _ in range(400))
    assert set(answered) == {"app-a", "app-b"}
    assert 40 <= answered["app-b"] <= 120  # 80 expected; five standard deviations are 40


def test_right_after_a_change_nobody_reaches_a_revision_without_weight(stage: Stage) -> None:
    address = httpx.URL(stage.apply(ALL_TO_A))

    def answered_by(connection: HTTPConnection) -> str:
        connection.request("GET", "/")
        revision = json.load(connection.getresponse())["revision"]
        assert isinstance(revision, str)
        return revision

    with ExitStack() as open_connections:
        connections = [
            open_connections.enter_context(closing(HTTPConnection(address.host, address.port)))
            for _ in range(8)  # by chance all of them on one of two workers: once in 128
        ]
        for weights, expected in [(ALL_TO_B, "app-b"), (ALL_TO_A, "app-a")] * 10:
            stage.apply(weights)
            assert [answered_by(connection) for connection in connections] == [expected] * 8


def test_no_request_is_dropped_by_changes(stage: Stage) -> None:
    url = stage.apply(ALL_TO_A)
    changed = Event()

    def call(_: int) -> Counter[int]:
        statuses: Counter[int] = Counter()
        with httpx.Client(trust_env=False, timeout=20) as client:
            while not changed.is_set():
                statuses[client.get(url).status_code] += 1
        return statuses

    with ThreadPoolExecutor(4) as callers:
        calls = callers.map(call, range(4))
        for step in range(21):
            stage.apply({"app-a": 100 - 5 * step, "app-b": 5 * step})
            stage.finished(20 * step)
        changed.set()
        statuses = sum(calls, Counter[int]())
    assert set(statuses) == {200}
    assert statuses.total() > 400


def test_callers_without_the_invoker_role_are_refused(stage: Stage, http: httpx.Client) -> None:
    urls = stage.ingress.apply("app", [Route("", ALL_TO_A, Guard(frozenset()))], stage.backends)
    assert http.get(urls[""]).status_code == 403


def test_a_route_to_nobody_answers_404(stage: Stage, http: httpx.Client) -> None:
    assert http.get(stage.apply({})).status_code == 404


def test_a_revision_without_a_backend_answers_503(stage: Stage, http: httpx.Client) -> None:
    url = stage.apply({"app-missing": 100})
    assert http.get(url).status_code == 503
    assert [(it.revision, it.status) for it in stage.finished(1)] == [("app-missing", 503)]


def test_a_backend_taken_away_answers_503_at_once(stage: Stage, http: httpx.Client) -> None:
    url = stage.apply(ALL_TO_A)
    stage.ingress.apply("app", [Route("", ALL_TO_A)], {})
    assert http.get(url).status_code == 503


def test_an_instance_that_stopped_answers_503_and_does_not_hang(
    stage: Stage, http: httpx.Client
) -> None:
    instance = stage.runtime.start(spec(stage.runtime, "app-c"))
    backends = {"app-c": instance.address}
    url = stage.ingress.apply("app", [Route("", {"app-c": 100})], backends)[""]
    wait_until(lambda: http.get(url).is_success, SOON, "the instance to answer")
    instance.stop()
    answer = http.get(url)
    assert answer.status_code == 503
    assert answer.elapsed < timedelta(seconds=10)


def test_a_revision_may_move_to_another_address(stage: Stage, http: httpx.Client) -> None:
    url = stage.apply(ALL_TO_A)
    moved = {**stage.backends, "app-a": stage.backends["app-b"]}
    stage.ingress.apply("app", [Route("", ALL_TO_A)], moved)
    assert who(http.get(url)) == "app-b"


def test_an_answer_later_than_the_timeout_is_504(stage: Stage, http: httpx.Client) -> None:
    url = stage.apply(ALL_TO_A, timeout=timedelta(milliseconds=200))
    assert http.get(f"{url}/slow/5000").status_code == 504
    (request,) = stage.finished(1)
    assert (request.revision, request.status) == ("app-a", 504)
    assert timedelta(milliseconds=190) < request.latency < timedelta(seconds=2)


def test_services_do_not_mix_whatever_a_client_claims(stage: Stage, http: httpx.Client) -> None:
    one = stage.apply(ALL_TO_A)
    other = stage.ingress.apply("other", [Route("", ALL_TO_B)], stage.backends)[""]
    claimed = {"x-greenrun-route": "other/", "host": other.removeprefix("http://")}
    assert who(http.get(one, headers=claimed)) == "app-a"
    assert who(http.get(other)) == "app-b"


def test_services_may_change_at_the_same_time(stage: Stage, http: httpx.Client) -> None:
    def publish(number: int) -> str:
        weights = ALL_TO_A if number % 2 else ALL_TO_B
        return stage.ingress.apply(f"app-{number}", [Route("", weights)], stage.backends)[""]

    with ThreadPoolExecutor(4) as callers:
        urls = list(callers.map(publish, range(8)))
    assert [who(http.get(url)) for url in urls] == ["app-b", "app-a"] * 4


def test_removing_a_service_closes_its_addresses_alone(stage: Stage, http: httpx.Client) -> None:
    gone = stage.apply(ALL_TO_A)
    other = stage.ingress.apply("other", [Route("", ALL_TO_B)], stage.backends)[""]
    stage.ingress.remove("app")
    with pytest.raises(httpx.ConnectError):
        httpx.get(gone, trust_env=False)
    assert who(http.get(other)) == "app-b"


def test_a_service_may_come_back(stage: Stage, http: httpx.Client) -> None:
    stage.apply(ALL_TO_A)
    stage.ingress.remove("app")
    assert who(http.get(stage.apply(ALL_TO_B))) == "app-b"


def test_every_finished_request_is_told(stage: Stage, http: httpx.Client) -> None:
    began = datetime.now(UTC)
    url = stage.apply(ALL_TO_A)
    headers = {"user-agent": "suite/1", "x-cloud-trace-context": "abc/1;o=1"}
    body = http.get(f"{url}/status/418?q=1", headers=headers).content
    (request,) = stage.finished(1)
    assert began - timedelta(milliseconds=1) <= request.time <= datetime.now(UTC)
    assert timedelta(0) < request.latency < SOON
    assert request == ServedRequest(
        time=request.time,
        service="app",
        revision="app-a",
        method="GET",
        url=f"{url}/status/418?q=1",
        status=418,
        latency=request.latency,
        user_agent="suite/1",
        response_bytes=len(body),
        trace="abc/1;o=1",
    )


def test_requests_are_told_in_order_and_only_once(stage: Stage, http: httpx.Client) -> None:
    url = stage.apply(ALL_TO_A)
    for number in range(5):
        http.get(f"{url}/{number}")
        stage.finished(number + 1)
    assert [it.url for it in stage.finished(5)] == [f"{url}/{number}" for number in range(5)]


def test_instances_see_the_host_that_the_client_asked_for(stage: Stage, http: httpx.Client) -> None:
    url = stage.apply(ALL_TO_A)
    headers = http.get(url, headers={"host": "app.example"}).json()["headers"]
    assert (headers["host"], headers["x-forwarded-proto"]) == ("app.example", "http")
    assert not [name for name in headers if name.startswith(("x-envoy", "x-greenrun"))]


def test_what_the_front_end_keeps_to_itself_reaches_no_revision_and_no_log(
    stage: Stage, http: httpx.Client
) -> None:
    url = stage.apply(ALL_TO_A)
    kept = [http.get(f"{url}{path}").status_code for path in ("/healthz", "/healthz?deep=1")]
    others = [who(http.get(f"{url}{path}")) for path in ("/", "/healthz/live", "/healthzz")]
    assert (kept, others) == ([404, 404], ["app-a"] * 3)
    served = [httpx.URL(request.url).path for request in stage.finished(3)]
    assert served == ["/", "/healthz/live", "/healthzz"]


@pytest.mark.parametrize("guard", [None, Guard(frozenset())])
def test_an_internal_address_is_not_found_from_outside_and_not_logged(
    stage: Stage, http: httpx.Client, guard: Guard | None
) -> None:
    routes = [Route("", ALL_TO_A, guard, internal=True), Route("open", ALL_TO_A)]
    urls = stage.ingress.apply("app", routes, stage.backends)
    assert http.get(urls[""]).status_code == 404
    assert who(http.get(urls["open"])) == "app-a"
    (served,) = stage.finished(1)
    assert served.url == f"{urls['open']}/"
