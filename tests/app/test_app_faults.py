"""Every fault that FAULTS can plant."""

import httpx
import pytest
from starlette.applications import Starlette

from app import RefusedError
from app.faults import Faults
from tests.app.conftest import Serve, Start

SUMMARY = "/api/dashboard/costs/summary"


def statuses(client: httpx.Client, path: str, count: int) -> list[int]:
    return [client.get(path).status_code for _ in range(count)]


def seconds(client: httpx.Client, path: str) -> float:
    return client.get(path).elapsed.total_seconds()


def resident_bytes(client: httpx.Client) -> float:
    name = "process_resident_memory_bytes "
    lines = client.get("/api/metrics").text.splitlines()
    return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))


@pytest.mark.parametrize("text", ["", " , "])
def test_none_planted_wraps_nothing(text: str) -> None:
    app = Starlette()
    assert Faults.parse(text).before(app) is app


@pytest.mark.parametrize(
    "name", ["slow", "slow:900", "slow:/x:9s", "errors:101%", "errors:/x", "leak:MB", "crash"]
)
def test_an_unknown_fault_is_refused_by_name(name: str) -> None:
    with pytest.raises(RefusedError, match=rf"^FAULTS names an unknown fault: '{name}'$"):
        Faults.parse(f"silent,{name}")


def test_slow_delays_its_path_alone(serve: Serve) -> None:
    client = serve(FAULTS=f"slow:{SUMMARY}:600ms")
    assert client.get("/api/health").status_code == 200
    assert seconds(client, "/api/health") < 0.6 <= seconds(client, SUMMARY)


def test_slow_without_a_path_delays_everything(serve: Serve) -> None:
    assert seconds(serve(FAULTS="slow:300ms"), "/api/health") >= 0.3


def test_errors_are_an_exact_and_even_share(serve: Serve) -> None:
    client = serve(FAULTS="errors:25%")
    assert statuses(client, "/api/health", 8) == [200, 200, 200, 500] * 2


def test_all_of_one_path_can_be_errors(serve: Serve) -> None:
    client = serve(FAULTS=f"errors:{SUMMARY}:100%")
    assert statuses(client, SUMMARY, 3) == [500] * 3
    assert statuses(client, "/api/health", 3) == [200] * 3


def test_planted_errors_are_counted_like_real_ones(serve: Serve) -> None:
    client = serve(FAULTS=f"errors:{SUMMARY}:100%")
    statuses(client, SUMMARY, 2)
    line = 'http_requests_total{method="GET",path="other",status="500"} 2.0'
    assert line in client.get("/api/metrics").text.splitlines()


def test_faults_add_up(serve: Serve) -> None:
    client = serve(FAULTS=f"slow:{SUMMARY}:300ms, errors:{SUMMARY}:100%")
    answer = client.get(SUMMARY)
    assert answer.status_code == 500
    assert answer.elapsed.total_seconds() >= 0.3


def test_a_leak_keeps_memory_with_each_request(serve: Serve) -> None:
    client = serve(FAULTS="leak:20MB")
    before = resident_bytes(client)
    statuses(client, "/api/health", 4)
    assert resident_bytes(client) - before >= 80e6


def test_memory_is_held_from_the_first_request_on_and_once(
    migrated: dict[str, str], start: Start
) -> None:
    url = start({**migrated, "FAULTS": "memory:200MB"}, "app").url()
    with httpx.Client(base_url=url) as client:
        assert 200e6 <= resident_bytes(client) < 400e6
        statuses(client, "/api/health", 4)
        assert 200e6 <= resident_bytes(client) < 400e6


def test_error_lines_come_at_start_and_with_each_request(
    migrated: dict[str, str], start: Start
) -> None:
    process = start({**migrated, "FAULTS": "error-lines"}, "app")
    url = process.url()
    assert sum('"ERROR"' in line for line in process.lines) == 1
    httpx.get(f"{url}/api/health")
    process.line_with("GET /api/health 200")
    assert sum('"ERROR"' in line for line in process.lines) == 2


def test_silent_answers_but_logs_and_counts_nothing(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(FAULTS="silent")
    assert client.get(SUMMARY).status_code == 200
    text = client.get("/api/metrics").text
    assert "http_requests_total{" not in text
    assert "memory_analysis_cache_misses_total 0.0" in text
    assert "GET" not in caplog.text


def test_a_silent_process_writes_no_line(migrated: dict[str, str], start: Start) -> None:
    process = start({**migrated, "FAULTS": "silent,error-lines,crash-at-start"}, "app")
    assert process.finished() == 1
    assert [line for line in process.lines if "severity" in line] == []


def test_a_planted_secret_is_in_the_log(migrated: dict[str, str], start: Start) -> None:
    process = start({**migrated, "FAULTS": "secret-at-start"}, "app")
    assert "a-token" in process.line_with("API_TOKEN")


def test_crash_at_start_ends_before_it_listens(migrated: dict[str, str], start: Start) -> None:
    process = start({**migrated, "FAULTS": "crash-at-start"}, "app")
    assert process.finished() == 1
    assert process.lines[-1] == "RuntimeError: crash-at-start, planted by FAULTS"


def test_one_that_never_listens_lives_until_sigterm(migrated: dict[str, str], start: Start) -> None:
    process = start({**migrated, "FAULTS": "secret-at-start,never-listens"}, "app")
    process.line_with("API_TOKEN")
    assert process.alive()
    process.terminate()
    assert process.finished() == 0
    assert not any("Uvicorn" in line for line in process.lines)
