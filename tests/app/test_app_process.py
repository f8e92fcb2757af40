"""The service as a process: start-up lines, refusals, SIGTERM."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.app.conftest import Start


def test_start_up_lines_come_in_order(migrated: dict[str, str], start: Start) -> None:
    process = start(migrated, "app")
    process.url()
    entries = [json.loads(line) for line in process.lines]
    assert {entry["severity"] for entry in entries} == {"INFO"}
    messages = [entry["message"] for entry in entries]
    assert messages[2:6] == [
        "MemoryTaskQueue started with 2 workers",
        "Worker 0 started",
        "Worker 1 started",
        "Application startup complete.",
    ]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"API_TOKEN": ""}, "API_TOKEN is not set: no caller could be authorised"),
        ({"FAULTS": "gremlins"}, "FAULTS names an unknown fault: 'gremlins'"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is '', needs sqlite:///PATH"),
    ],
)
def test_it_refuses_to_start_in_one_line(
    environment: dict[str, str], start: Start, variables: dict[str, str], message: str
) -> None:
    process = start({**environment, **variables}, "app")
    assert process.finished() == 1
    assert [json.loads(line) for line in process.lines] == [
        {"severity": "ERROR", "message": message}
    ]


def test_sigterm_ends_it_with_0_and_an_empty_queue(migrated: dict[str, str], start: Start) -> None:
    process = start(migrated, "app")
    process.url()
    process.terminate()
    assert process.finished() == 0
    assert any("MemoryTaskQueue drained" in line for line in process.lines)


def test_a_request_in_flight_is_answered_after_sigterm(
    migrated: dict[str, str], start: Start
) -> None:
    # The fault's own ERROR line says that the request has arrived and now waits.
    faults = "error-lines,slow:/api/health:700ms"
    process = start({**migrated, "FAULTS": faults}, "app")
    url = process.url()
    with ThreadPoolExecutor(1) as others:
        answer = others.submit(httpx.get, f"{url}/api/health")
        process.line_with("SQL error")
        process.terminate()
        assert answer.result().json()["status"] == "ok"
    assert process.finished() == 0


def test_no_secret_is_ever_written(migrated: dict[str, str], start: Start) -> None:
    process = start({**migrated, "LOG_LEVEL": "DEBUG"}, "app")
    url = process.url()
    bearer = {"Authorization": "Bearer a-token", "x-dev-bypass": "a-bypass"}
    httpx.post(f"{url}/api/memory/analyze", json={"text": "hello"}, headers=bearer)
    process.terminate()
    assert process.finished() == 0
    written = "\n".join(process.lines)
    assert [secret for secret in ("a-token", "a-bypass", "a-key") if secret in written] == []
