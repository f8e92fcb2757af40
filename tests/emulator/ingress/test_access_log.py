"""Reading Envoy's access log on, line by line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloudrun_emulator.core.interfaces import ServedRequest
from cloudrun_emulator.ingress.access_log import UNLOGGED, AccessLog, request_of

ENTRY = {
    "service": "app",
    "started": "1760000000.123456",
    "microseconds": 1503,
    "milliseconds": 1,
    "route": None,
    "cluster": "app/app-a",
    "method": "GET",
    "host": "127.0.0.1:1234",
    "path": "/x?y=1",
    "status": 200,
    "user_agent": "suite/1",
    "response_bytes": 12,
    "cloud_trace": None,
    "traceparent": "00-abc-def-01",
}
REQUEST = ServedRequest(
    time=datetime(2025, 10, 9, 8, 53, 20, 123456, tzinfo=UTC),
    service="app",
    revision="app-a",
    method="GET",
    url="http://127.0.0.1:1234/x?y=1",
    status=200,
    latency=timedelta(microseconds=1503),
    user_agent="suite/1",
    response_bytes=12,
    trace="00-abc-def-01",
)


def line(path: str) -> str:
    return json.dumps({**ENTRY, "path": path}) + "\n"


def test_a_line_becomes_a_request() -> None:
    assert request_of(ENTRY) == REQUEST


def test_what_a_front_end_answered_is_no_request(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    kept = json.dumps({**ENTRY, "route": UNLOGGED}) + "\n"
    log.write_text(kept + line("/after"))
    assert [request.url for request in AccessLog(log).requests()] == ["http://127.0.0.1:1234/after"]


def test_a_request_that_reached_nobody_has_no_revision() -> None:
    assert request_of({**ENTRY, "cluster": None}).revision == ""


def test_a_request_without_an_answer_takes_the_whole_duration() -> None:
    left = request_of({**ENTRY, "status": 0, "microseconds": None, "milliseconds": 20})
    assert (left.status, left.latency) == (499, timedelta(milliseconds=20))


def test_the_trace_of_google_outranks_the_standard_one() -> None:
    assert request_of({**ENTRY, "cloud_trace": "abc/1"}).trace == "abc/1"


def test_there_are_no_requests_before_there_is_a_log(tmp_path: Path) -> None:
    assert AccessLog(tmp_path / "access.log").requests() == ()


def test_a_line_is_read_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(path)
    first, second = line("/1"), line("/2")
    seen = []
    for text in (first, second[:20], second[20:]):
        with path.open("a") as file:
            file.write(text)
        seen.append([request.url.rpartition("/")[2] for request in log.requests()])
    assert seen == [["1"], ["1"], ["1", "2"]]
