"""Log entries from what containers wrote and the ingress answered, and the search for them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.logging_v2.types import ListLogEntriesRequest, LogEntry
from grpc import StatusCode

from cloudrun_emulator.apis.logging.log import Logging
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import Instance, InstanceSpec, LogLine, ServedRequest
from tests.emulator.answered import AnsweredIngress

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

REVISION = InstanceSpec(
    name="web-001-x",
    image="web",
    resource={
        "type": "cloud_run_revision",
        "project_id": "p",
        "location": "l",
        "service_name": "web",
        "configuration_name": "web",
        "revision_name": "web-001",
    },
)
TASK = InstanceSpec(
    name="migrate-abcde-task0-0",
    image="web",
    resource={
        "type": "cloud_run_job",
        "project_id": "p",
        "location": "l",
        "job_name": "migrate",
    },
    environment={"CLOUD_RUN_EXECUTION": "migrate-abcde", "CLOUD_RUN_TASK_INDEX": "0"},
)
REQUEST = ServedRequest(
    time=NOON,
    service="projects/p/locations/l/services/web",
    revision="web-001",
    method="GET",
    url="http://127.0.0.1:1/a",
    status=200,
    latency=timedelta(milliseconds=1500),
    user_agent="curl",
    response_bytes=7,
)


@dataclass
class WrittenFleet:
    """A fleet whose instances have said all that they will."""

    written: list[tuple[InstanceSpec, LogLine]]

    def note(self, spec: InstanceSpec, severity: str, text: str) -> None:
        raise NotImplementedError(spec.name)

    def start(self, spec: InstanceSpec, beside: Instance | None = None) -> Instance:
        raise NotImplementedError(spec.name)

    def output(self) -> list[tuple[InstanceSpec, LogLine]]:
        return self.written

    def close(self) -> None: ...


def said(*texts: str, spec: InstanceSpec = REVISION, stream: str = "stdout") -> Logging:
    lines = [
        (spec, LogLine(NOON + timedelta(seconds=second), stream, text))
        for second, text in enumerate(texts)
    ]
    return Logging(WrittenFleet(lines), AnsweredIngress([]))


def answered(*statuses: int) -> Logging:
    requests = [replace(REQUEST, status=status) for status in statuses]
    return Logging(WrittenFleet([]), AnsweredIngress(requests))


def entries(logging: Logging, text: str = "", **options: Any) -> Sequence[LogEntry]:  # noqa: ANN401
    request = ListLogEntriesRequest(resource_names=["projects/p"], filter=text, **options)
    return logging.list_log_entries(request).entries


def texts(logging: Logging, text: str = "", **options: Any) -> list[str]:  # noqa: ANN401
    return [entry.text_payload for entry in entries(logging, text, **options)]


def test_plain_text_has_no_severity_on_either_stream() -> None:
    (entry,) = entries(said("Application startup complete", stream="stderr"))
    assert entry.text_payload == "Application startup complete"
    assert entry.severity == 0
    assert entry.log_name == "projects/p/logs/run.googleapis.com%2Fstderr"
    assert entry.timestamp == NOON
    assert entry.resource.type == "cloud_run_revision"
    assert dict(entry.resource.labels) == {
        key: value for key, value in REVISION.resource.items() if key != "type"
    }


def test_a_json_object_is_a_structured_entry() -> None:
    line = {
        "severity": "warning",
        "message": "slow",
        "n": 2,
        "logging.googleapis.com/trace": "projects/p/traces/t",
        "logging.googleapis.com/labels": {"a": "b"},
    }
    (entry,) = entries(said(json.dumps(line)))
    assert dict(entry.json_payload) == {"message": "slow", "n": 2.0}
    assert entry.severity == 400
    assert entry.trace == "projects/p/traces/t"
    assert entry.labels["a"] == "b"


@pytest.mark.parametrize("text", ["{not json", "[1, 2]", "17", '{"a": 1'])
def test_other_json_is_text(text: str) -> None:
    assert texts(said(text)) == [text]


def test_a_severity_that_is_none_stays_in_the_payload() -> None:
    (entry,) = entries(said('{"severity": "loud"}'))
    assert dict(entry.json_payload) == {"severity": "loud"}
    assert entry.severity == 0


def test_a_task_is_told_by_labels() -> None:
    (entry,) = entries(said("migrated", spec=TASK))
    assert entry.resource.type == "cloud_run_job"
    assert entry.labels["run.googleapis.com/execution_name"] == "migrate-abcde"
    assert texts(
        said("migrated", spec=TASK),
        'labels."run.googleapis.com/execution_name"="migrate-abcde"',
    ) == ["migrated"]


def test_a_request_is_an_entry_of_the_request_log() -> None:
    (entry,) = entries(answered(200))
    assert entry.log_name == "projects/p/logs/run.googleapis.com%2Frequests"
    assert entry.resource.labels["revision_name"] == "web-001"
    assert entry.resource.labels["location"] == "l"
    assert entry.http_request.request_method == "GET"
    assert entry.http_request.request_url == "http://127.0.0.1:1/a"
    assert entry.http_request.status == 200
    assert entry.http_request.latency.ToMilliseconds() == 1500
    assert entry.http_request.user_agent == "curl"
    assert entry.http_request.response_size == 7


@pytest.mark.parametrize(("status", "severity"), [(200, 200), (302, 200), (404, 400), (503, 500)])
def test_the_status_of_a_request_is_its_severity(status: int, severity: int) -> None:
    assert entries(answered(status))[0].severity == severity


ENTRIES = {
    "severity>=ERROR": [],
    'timestamp>="2026-05-04T12:00:01Z"': ["Two"],
    'timestamp<"2026-05-04T12:00:01Z"': ["one"],
    'timestamp="2026-05-04T14:00:00+02:00"': ["one"],
    'textPayload:"TW"': ["Two"],
    "textPayload=two": ["Two"],
    "textPayload!=one": ["Two"],
    "NOT textPayload:o": [],
    'resource.type="cloud_run_revision" AND resource.labels.service_name="web"': ["one", "Two"],
    "resource.labels.revision_name=web-002": [],
    "resource.labels.nothing!=web": [],
    "jsonPayload.a=1": [],
    "jsonPayload.a!=1": [],
    'logName:"stdout"': ["one", "Two"],
    "httpRequest.status>=500": [],
    "labels.instanceId:*": ["one", "Two"],
    "severity=DEFAULT": ["one", "Two"],
    "severity<(INFO OR 100)": ["one", "Two"],
}


@pytest.mark.parametrize(("text", "expected"), ENTRIES.items())
def test_filters_on_text(text: str, expected: list[str]) -> None:
    assert texts(said("one", "Two"), text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "jsonPayload.n=2",
        "jsonPayload.n>1",
        'jsonPayload.n<"3"',
        "jsonPayload.deep.name=x",
        "jsonPayload.ok=true",
        "jsonPayload.message:slow",
        "jsonPayload.deep:*",
        "NOT jsonPayload.n>many",
    ],
)
def test_filters_on_json(text: str) -> None:
    line = '{"n": 2, "deep": {"name": "x"}, "ok": true, "message": "so slow"}'
    assert len(entries(said(line), text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "httpRequest.status>=500",
        'httpRequest.requestUrl:"/A"',
        "httpRequest.latency>1s",
        'httpRequest.userAgent="curl"',
        "severity>=ERROR",
    ],
)
def test_filters_on_requests(text: str) -> None:
    assert len(entries(answered(500), text)) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("protoPayload.a=1", "protoPayload.a"),
        ("resource.labels=1", "resource.labels"),
        ("severity=LOUD", "LOUD"),
        ("timestamp>yesterday", "yesterday"),
        ("httpRequest.status=ok", "ok"),
        ("severity:ERR", "severity"),
    ],
)
def test_a_filter_beyond_the_subset_is_refused(text: str, named: str) -> None:
    with pytest.raises(CloudError) as refusal:
        entries(said(), text)
    assert refusal.value.code is StatusCode.INVALID_ARGUMENT
    assert named in refusal.value.message


def test_other_projects_are_not_told() -> None:
    request = ListLogEntriesRequest(resource_names=["projects/other"])
    assert not said("one").list_log_entries(request).entries


@pytest.mark.parametrize(
    "options",
    [{"resource_names": []}, {"resource_names": ["folders/1"]}, {"order_by": "severity"}],
)
def test_what_is_asked_wrongly_is_refused(options: dict[str, Any]) -> None:
    request = ListLogEntriesRequest({"resource_names": ["projects/p"], **options})
    with pytest.raises(CloudError) as refusal:
        said().list_log_entries(request)
    assert refusal.value.code is StatusCode.INVALID_ARGUMENT


def test_oldest_first_unless_asked_otherwise() -> None:
    assert texts(said("a", "b")) == ["a", "b"]
    assert texts(said("a", "b"), order_by="timestamp desc") == ["b", "a"]


def test_pages_neither_lose_nor_repeat_when_entries_arrive_between_them() -> None:
    request = ListLogEntriesRequest(
        resource_names=["projects/p"], order_by="timestamp desc", page_size=2
    )
    first = said("a", "b", "c").list_log_entries(request)
    request.page_token = first.next_page_token
    second = said("a", "b", "c", "d").list_log_entries(request)
    told = [entry.text_payload for page in (first, second) for entry in page.entries]
    assert told == ["c", "b", "a"]
    assert not second.next_page_token


def test_the_log_is_read_once_for_all_pages_of_a_search() -> None:
    asked = []

    class CountedFleet(WrittenFleet):
        def output(self) -> list[tuple[InstanceSpec, LogLine]]:
            asked.append(self)
            return super().output()

    lines = [(REVISION, LogLine(NOON, "stdout", text)) for text in "abc"]
    logging = Logging(CountedFleet(lines), AnsweredIngress(()))
    request = ListLogEntriesRequest(resource_names=["projects/p"], page_size=1)
    for last in (False, False, True):
        page = logging.list_log_entries(request)
        request.page_token = page.next_page_token
        assert bool(request.page_token) is not last
    assert len(asked) == 1
    logging.list_log_entries(ListLogEntriesRequest(resource_names=["projects/p"]))
    assert len(asked) == 2


def test_insert_ids_are_stable_and_tell_equal_lines_apart() -> None:
    fleet = WrittenFleet([(REVISION, LogLine(NOON, "stdout", "same"))] * 2)
    logging = Logging(fleet, AnsweredIngress([REQUEST, REQUEST]))
    ids = [entry.insert_id for entry in entries(logging)]
    assert len(set(ids)) == 4
    assert ids == [entry.insert_id for entry in entries(logging)]
