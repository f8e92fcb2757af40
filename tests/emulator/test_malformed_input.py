"""Whatever is sent to the cloud is stored or refused: no reader trips over it."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.cloud import run_v2
from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse
from google.cloud.monitoring_v3.types import AlertPolicy, ListTimeSeriesRequest
from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudrun_emulator.apis.listing import paginate
from cloudrun_emulator.apis.logging.log import Logging, entry_filter
from cloudrun_emulator.apis.monitoring.metrics import field_named, select_series
from cloudrun_emulator.apis.monitoring.series import project_named
from cloudrun_emulator.apis.resourcemanager import UnknownPermission, possible
from cloudrun_emulator.apis.run.containers import cpu, memory_bytes
from cloudrun_emulator.apis.run.jobs import templates as job_templates
from cloudrun_emulator.apis.run.services import validation
from cloudrun_emulator.apis.secretmanager import Secrets
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import Instance, InstanceSpec, LogLine
from cloudrun_emulator.core.protobuf import well_formed
from cloudrun_emulator.core.resource_names import Location, ResourceName
from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.faults.language import UnknownFault
from cloudrun_emulator.faults.registry import Faults
from cloudrun_emulator.identity.metadata_server import metadata_response
from cloudrun_emulator.identity.tokens import Issuer
from cloudrun_emulator.ingress.access_log import AccessLog
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from tests.emulator.answered import AnsweredIngress

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
REVISION = {
    "type": "cloud_run_revision",
    "project_id": "p",
    "location": "l",
    "service_name": "web",
    "configuration_name": "web",
    "revision_name": "web-1",
}

letters = st.characters()  # lone surrogates too
words = st.sampled_from(
    [
        *(
            "AND",
            "OR",
            "NOT",
            "(",
            ")",
            "=",
            "!=",
            ">=",
            "<",
            ":",
            "=~",
            '"',
            "\\",
            "*",
            "/",
            "[",
            "-",
        ),
        *("severity", "timestamp", "jsonPayload.a", "jsonPayload.list", "labels.x", "textPayload"),
        *(
            "metric.type",
            '"run.googleapis.com/request_count"',
            "resource.type",
            "httpRequest.latency",
        ),
        *(
            "Services.UpdateService",
            "revision",
            "metrics",
            "late by",
            "1s",
            "UNAVAILABLE",
            ", twice",
        ),
        *("projects/p", "/locations/l", "/services/web", "/revisions/r", "/jobs/j", "1e999", "nan"),
        *("9" * 30, "9" * 5000, "Gi", "m", "\ud800", "0001-01-01T00:00:00+23:59", "²", "٣"),
    ]
)
texts = st.one_of(
    st.text(letters),
    st.lists(words | st.text(letters, max_size=3), max_size=30).map(" ".join),
    st.lists(words, max_size=12).map("".join),
    st.tuples(
        st.sampled_from(["(", "NOT ", '"', '\\"', "[", "a=(", "*"]), st.integers(0, 30_000)
    ).map(lambda repeated: repeated[0] * repeated[1]),
)


class Written:
    """A fleet of one instance, which has written these lines."""

    def __init__(self, *lines: str) -> None:
        self._lines = lines

    def note(self, spec: InstanceSpec, severity: str, text: str) -> None:
        raise NotImplementedError(spec.name)

    def start(self, spec: InstanceSpec, beside: Instance | None = None) -> Instance:
        raise NotImplementedError(spec.name)

    def output(self) -> Iterator[tuple[InstanceSpec, LogLine]]:
        for line in self._lines:
            yield InstanceSpec("web-1", "image", REVISION), LogLine(NOON, "stdout", line)

    def close(self) -> None: ...


def entries_of(*lines: str) -> ListLogEntriesResponse:
    """The entries of these lines, as a client reads them off the wire."""
    logging = Logging(Written(*lines), AnsweredIngress(()))
    listed = logging.list_log_entries(ListLogEntriesRequest(resource_names=["projects/p"]))
    told: ListLogEntriesResponse = ListLogEntriesResponse.deserialize(
        ListLogEntriesResponse.serialize(listed)
    )
    return told


ENTRIES = [
    ListLogEntriesResponse.pb(entries_of(line)).entries[0]
    for line in ("text", '{"a": 1, "list": [1], "b": {"c": true}, "severity": "ERROR"}')
]


def read_entries(text: str) -> None:
    holds = entry_filter(text)
    for entry in ENTRIES:
        holds(entry)


def read_series(text: str) -> None:
    select_series(text).holds({"metric.labels.response_code": "200"})


FAULTS, ISSUER = Faults(), Issuer()


def read_fault(text: str) -> None:
    FAULTS.add(text).lift()


READERS: Mapping[str, Callable[[str], object]] = {
    "filter of log entries": read_entries,
    "filter of time series": read_series,
    "field of a series": field_named,
    "page token": lambda text: paginate([1, 2, 3], 1, text),
    "project": project_named,
    "location": Location.parse,
    "resource name": lambda text: ResourceName.parse(text, "services", "revisions"),
    "service id": validation.check_service_id,
    "job id": job_templates.check_id,
    "cpu": cpu,
    "memory": memory_bytes,
    "permission": possible,
    "secret's version": lambda text: Secrets().value("p", "s", well_formed(text)),
    "fault": read_fault,
    "fault of a call": lambda text: read_fault(f"Services.{text}: UNAVAILABLE"),
    "effect": lambda text: read_fault(f"Services.*: {text}"),
    "trigger": lambda text: read_fault(f"Services.*: INTERNAL, {text}"),
    "metadata path": lambda text: metadata_response(ISSUER, text, {}),
}


@pytest.mark.parametrize("reader", READERS)
@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_text_is_understood_or_refused(reader: str, text: str) -> None:
    try:
        READERS[reader](text)
    except (UnknownFault, UnknownPermission):
        return
    except CloudError as refusal:
        if refusal.code not in {StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND}:
            raise


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(-(10**30), 10**30),
    st.text(letters, max_size=8),
    st.sampled_from(["\ud800", "-1s", "9" * 400, "1e400", "x" * 5000, "/", "..", "\x00"]),
)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(letters), inner, max_size=3)
    ),
    max_leaves=8,
)


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


lines = st.one_of(
    st.text(letters),
    st.dictionaries(
        st.text(letters)
        | st.sampled_from(
            ["severity", "logging.googleapis.com/trace", "logging.googleapis.com/labels"]
        ),
        documents,
    ).map(json.dumps),
    st.integers(1, 3000).map(nested),
)


@given(st.lists(lines, max_size=4))
@settings(deadline=None)
def test_each_line_of_a_container_is_an_entry(written: list[str]) -> None:
    assert len(entries_of(*written).entries) == len(written)


@pytest.mark.parametrize("line", ['{"message": "\\ud800"}', "\ud800", '{"\\udfff": 1}'])
def test_half_a_character_is_shown_as_one_that_is_unknown(line: str) -> None:
    (entry,) = entries_of(line).entries
    assert "\ufffd" in (entry.text_payload or str(dict(entry.json_payload)))


@given(st.lists(st.binary() | documents.map(lambda it: json.dumps(it).encode()), max_size=4))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_line_of_the_access_log_that_tells_no_request_is_passed_over(
    tmp_path: Path, written: list[bytes]
) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"".join(line + b"\n" for line in written))
    assert list(AccessLog(log).requests()) == []


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(InProcessRuntime(), EnvoyIngress()) as cloud:
        yield cloud


PARENT = "projects/p/locations/l"
TEMPLATE = {
    "containers": [
        {
            "image": "in-process/echo",
            "ports": [{"containerPort": 8080}],
            "env": [{"name": "A", "value": "b"}],
            "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
            "startupProbe": {"periodSeconds": 1, "httpGet": {"path": "/", "port": 8080}},
        }
    ],
    "timeout": "60s",
}
SERVICE = {
    "template": {**TEMPLATE, "labels": {"a": "b"}, "scaling": {"maxInstanceCount": 1}},
    "traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100, "tag": "t"}],
    "customAudiences": ["x"],
    "scaling": {"minInstanceCount": 0},
}
JOB = {"template": {"taskCount": 1, "template": {**TEMPLATE, "maxRetries": 0}}}
POLICY = {"policy": {"bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]}}
BODIES: Mapping[str, Any] = {
    f"POST /v2/{PARENT}/services?serviceId=web&validateOnly=true": SERVICE,
    f"PATCH /v2/{PARENT}/services/new?allowMissing=true&validateOnly=true": SERVICE,
    f"POST /v2/{PARENT}/jobs?jobId=job&validateOnly=true": JOB,
    f"POST /v2/{PARENT}/services/web:setIamPolicy": POLICY,
    f"POST /v2/{PARENT}/operations/x:wait": {"timeout": "1s"},
    "POST /v1/projects/p/secrets?secretId=s": {"replication": {"automatic": {}}, "ttl": "60s"},
    "POST /v1/projects/p/secrets/s:addVersion": {
        "payload": {"data": "aHVzaA==", "dataCrc32c": "1"}
    },
    "POST /v3/projects/p:testIamPermissions": {"permissions": ["run.jobs.create"]},
}


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - any JSON value
    """Every path into `document`, its root too."""
    yield path
    keys = (
        document
        if isinstance(document, dict)
        else range(len(document) if isinstance(document, list) else 0)
    )
    for key in keys:
        yield from places(document[key], (*path, key))


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A copy of `document` with `value` at `path`."""
    if not path:
        return value
    copy = deepcopy(document)
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copy


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, bytes]:
    call = draw(st.sampled_from(sorted(BODIES)))
    broken = BODIES[call]
    for _ in range(draw(st.integers(1, 2))):
        broken = put(broken, draw(st.sampled_from(list(places(broken)))), draw(documents))
    written = json.dumps(broken).encode()
    return call, draw(st.sampled_from([written, written, written, written[:-1], b"\xff" + written]))


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20) as client:
        yield client


@given(bodies())
@settings(max_examples=300, deadline=None)
def test_a_body_is_taken_or_refused(
    cloud: LocalCloud, client: httpx.Client, sent: tuple[str, bytes]
) -> None:
    (verb, path), body = sent[0].split(" ", 1), sent[1]
    answer = client.request(verb, f"{cloud.rest}{path}", content=body)
    assert answer.status_code < 500, answer.text
    json.loads(answer.text)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /v1/projects/p/secrets HTTP/1.1\r\nContent-Length: x\r\n", 400),
        (b"POST /v1/projects/p/secrets HTTP/1.1\r\nContent-Length: -1\r\n", 400),
        (b"POST /v1/projects/p/secrets HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\n", 400),
        (b"GET /v2/\xff%ff%00 HTTP/1.1\r\n", 404),
    ],
)
def test_a_head_that_cannot_be_read_is_refused(
    cloud: LocalCloud, capfd: pytest.CaptureFixture[str], head: bytes, status: int
) -> None:
    assert status_of(cloud.rest.removeprefix("http://"), head) == status
    assert capfd.readouterr().err == ""


def test_the_metadata_server_refuses_a_path_that_is_none(
    cloud: LocalCloud, capfd: pytest.CaptureFixture[str]
) -> None:
    assert status_of(cloud.metadata, b"GET http://[ HTTP/1.1\r\nMetadata-Flavor: Google\r\n") == 400
    assert capfd.readouterr().err == ""


def status_of(address: str, head: bytes) -> int:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head + b"Host: x\r\n\r\n")
        return int(connection.makefile("rb").readline().split()[1])


def a_deep_body() -> bytes:
    return ('{"template":' * 50_000 + "1" + "}" * 50_000).encode()


def test_a_body_nested_too_deeply_is_refused(cloud: LocalCloud) -> None:
    path = f"/v2/{PARENT}/services?serviceId=web&validateOnly=true"
    answer = httpx.post(f"{cloud.rest}{path}", content=a_deep_body(), timeout=20)
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


SERVICES = "/google.cloud.run.v2.Services"


def service(**template: Any) -> bytes:  # noqa: ANN401 - fields of the template
    made = run_v2.CreateServiceRequest(parent=PARENT, service_id="web", validate_only=True)
    made.service.template = run_v2.RevisionTemplate(
        containers=[run_v2.Container(image="in-process/echo")], **template
    )
    return bytes(run_v2.CreateServiceRequest.serialize(made))


def series(**fields: Any) -> bytes:  # noqa: ANN401 - fields of the request
    asked = {"name": "projects/p", "filter": 'metric.type="run.googleapis.com/request_count"'}
    return bytes(ListTimeSeriesRequest.serialize(ListTimeSeriesRequest({**asked, **fields})))


def job(**execution: Any) -> bytes:  # noqa: ANN401 - fields of the execution template
    task = run_v2.TaskTemplate(containers=[run_v2.Container(image="in-process/task")])
    made = run_v2.Job(template=run_v2.ExecutionTemplate(template=task, **execution))
    asked = run_v2.CreateJobRequest(parent=PARENT, job=made, job_id="job", validate_only=True)
    return bytes(run_v2.CreateJobRequest.serialize(asked))


def policy(**threshold: Any) -> bytes:  # noqa: ANN401 - fields of the threshold
    condition = {"display_name": "c", "condition_threshold": threshold}
    made = AlertPolicy({"display_name": "p", "combiner": "OR", "conditions": [condition]})
    serialized = bytes(AlertPolicy.serialize(made))
    head = bytes([0x1A, 10]) + b"projects/p" + bytes([0x12])  # fields 3 and 2 of the request
    length = len(serialized)
    size = bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
    return head + size + serialized


EVER = Duration(seconds=10**18)
MONITORING = "/google.monitoring.v3"
CALLS: Mapping[str, tuple[str, bytes]] = {
    "no message at all": (f"{SERVICES}/GetService", b"\xff\xff\xff"),
    "text that is no UTF-8": (f"{SERVICES}/GetService", b"\x0a\x02\xed\xa0"),
    "a time-out of no length": (f"{SERVICES}/CreateService", service(timeout=EVER)),
    "a time-out of days": (
        f"{SERVICES}/CreateService",
        service(timeout=Duration(seconds=10**8)),
    ),
    "a wait without end": (
        "/google.longrunning.Operations/WaitOperation",
        operations_pb2.WaitOperationRequest(name="x", timeout=EVER).SerializeToString(),
    ),
    "more tasks than can be": (
        "/google.cloud.run.v2.Jobs/CreateJob",
        job(task_count=2**31 - 1),
    ),
    "an aligner of another age": (
        f"{MONITORING}.MetricService/ListTimeSeries",
        series(interval={"end_time": NOON}, aggregation={"per_series_aligner": 999}),
    ),
    "a comparison of another age": (
        f"{MONITORING}.AlertPolicyService/CreateAlertPolicy",
        policy(comparison=999, filter='resource.type="cloud_run_revision"'),
    ),
    "a duration of no length": (
        f"{MONITORING}.AlertPolicyService/CreateAlertPolicy",
        policy(comparison="COMPARISON_GT", duration=EVER),
    ),
    "a filter as long as a book": (
        f"{MONITORING}.MetricService/ListTimeSeries",
        series(filter="é" * 100_000, interval={"end_time": NOON}),
    ),
    "a page token of numbers": (
        f"{SERVICES}/ListServices",
        bytes(
            run_v2.ListServicesRequest.serialize(
                run_v2.ListServicesRequest(parent=PARENT, page_token="9" * 5000)
            )
        ),
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_message_that_makes_no_sense_is_refused(
    cloud: LocalCloud, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    path, message = CALLS[case]
    with grpc.insecure_channel(cloud.grpc) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(path, bytes, bytes)(message, timeout=20)
    told: Any = refused.value
    known = {StatusCode.INVALID_ARGUMENT, StatusCode.UNIMPLEMENTED}
    assert told.code() in known, told.details()
    assert capfd.readouterr().err == ""
