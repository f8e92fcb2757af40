"""What the service answers."""

import json
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from websockets.sync.client import connect

from app.database import Database
from app.memory import CACHED, Memory
from app.metrics import Metrics
from tests.app.conftest import Serve


def samples(client: httpx.Client) -> dict[str, float]:
    """Every counter and gauge by name and labels."""
    families = text_string_to_metric_families(client.get("/api/metrics").text)
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


def analyze(client: httpx.Client, text: str) -> dict[str, object]:
    answer = client.post("/api/memory/analyze", json={"text": text})
    assert answer.status_code == 200
    analysis: dict[str, object] = answer.json()
    return analysis


def test_health_names_the_revision_in_body_and_header(serve: Serve) -> None:
    answer = serve(K_REVISION="emergence-app-00001-abc").get("/api/health")
    assert answer.status_code == 200
    assert answer.headers["X-Revision"] == "emergence-app-00001-abc"
    assert answer.json() == {
        "status": "ok",
        "revision": "emergence-app-00001-abc",
        "database": "ok",
    }


def test_without_a_revision_no_header_claims_one(reader: httpx.Client) -> None:
    answer = reader.get("/api/health")
    assert answer.json() == {"status": "ok", "revision": None, "database": "ok"}
    assert "X-Revision" not in answer.headers


def test_health_is_503_without_a_schema(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    answer = serve(DATABASE_URL=f"sqlite:///{tmp_path}/empty.db").get("/api/health")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "error",
        "revision": None,
        "database": "no such table: messages",
    }


def test_the_summary_has_the_seeded_conversations(reader: httpx.Client) -> None:
    assert reader.get("/api/dashboard/costs/summary").json() == {
        "messages": {"total": 800, "sessions": 3},
        "costs": {"total": 800, "total_usd": 3.202, "average_usd": 0.004002},
        "tokens": {"input": 255880, "output": 120000},
    }


@pytest.mark.parametrize(("period", "entries"), [("7d", 8), ("30d", 31), ("90d", 91), ("1y", 366)])
@pytest.mark.parametrize("series", ["activity", "costs", "tokens"])
def test_a_timeline_has_an_entry_for_every_day(
    reader: httpx.Client, series: str, period: str, entries: int
) -> None:
    days = reader.get(f"/api/dashboard/timeline/{series}", params={"period": period}).json()
    dates = [day["date"] for day in days]
    assert len(days) == entries
    assert dates == sorted(set(dates))
    assert {tuple(day) for day in days} == {
        {
            "activity": ("date", "messages"),
            "costs": ("date", "usd"),
            "tokens": ("date", "input", "output"),
        }[series]
    }


def test_a_year_of_activity_adds_up_to_the_summary(reader: httpx.Client) -> None:
    days = reader.get("/api/dashboard/timeline/activity", params={"period": "1y"}).json()
    assert sum(day["messages"] for day in days) == 800


@pytest.mark.parametrize("path", ["activity?period=2d", "activity?period=", "errors?period=7d"])
def test_another_period_or_series_is_422(reader: httpx.Client, path: str) -> None:
    assert reader.get(f"/api/dashboard/timeline/{path}").status_code == 422


def test_sessions_filter_the_dashboard_and_add_up(reader: httpx.Client) -> None:
    def dashboard(path: str, session: str) -> httpx.Response:
        return reader.get(f"/api/dashboard/{path}", headers={"X-Session-Id": session})

    def total(session: str) -> int:
        return int(dashboard("costs/summary", session).json()["messages"]["total"])

    assert sum(total(f"session-{number}") for number in (1, 2, 3)) == 800
    assert total("nobody") == 0
    one = dashboard("timeline/tokens?period=1y", "session-1").json()
    assert one != reader.get("/api/dashboard/timeline/tokens?period=1y").json()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer a-token"}, 200),
        ({"x-dev-bypass": "a-bypass"}, 200),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic a-token"}, 401),
        ({"x-dev-bypass": "wrong"}, 401),
        ({"x-dev-bypass": ""}, 401),
        ({}, 401),
    ],
)
def test_the_api_wants_a_token_or_the_bypass(
    reader: httpx.Client, headers: dict[str, str], status: int
) -> None:
    answer = httpx.get(reader.base_url.join("/api/documents"), headers=headers)
    assert answer.status_code == status
    assert answer.headers.get("WWW-Authenticate") == (None if status == 200 else "Bearer")


@pytest.mark.parametrize("given", ["", "a-bypass"])
def test_without_a_configured_bypass_nothing_bypasses(serve: Serve, given: str) -> None:
    url = serve(DEV_BYPASS="").base_url.join("/api/documents")
    assert httpx.get(url, headers={"x-dev-bypass": given}).status_code == 401


def test_every_api_route_but_health_and_metrics_is_closed(reader: httpx.Client) -> None:
    paths = reader.get("/openapi.json").json()["paths"]
    operations = {(m, p) for p, methods in paths.items() for m in methods}
    closed = {
        (method, path)
        for method, path in operations
        if httpx.request(method, reader.base_url.join(path)).status_code == 401
    }
    assert operations - closed == {("get", "/api/health"), ("get", "/api/metrics")}
    assert len(closed) >= 6


def test_the_same_text_again_is_skipped_and_counters_move(client: httpx.Client) -> None:
    before = samples(client)
    first = analyze(client, "I love gradual releases")
    again = analyze(client, "I love gradual releases")
    moved = {
        name: value - before[name] for name, value in samples(client).items() if name in before
    }
    assert first == {
        "status": "completed",
        "id": again["id"],
        "concepts": ["gradual", "releases"],
        "recalled": [],
        "preferences": [{"kind": "like", "subject": "gradual", "confidence": 0.95}],
    }
    assert again == {"status": "skipped", "reason": "cache", "id": first["id"]}
    assert {name: moved[name] for name in moved if name.startswith("memory_analysis_ca")} == {
        "memory_analysis_cache_hits_total": 1,
        "memory_analysis_cache_misses_total": 1,
        "memory_analysis_cache_size": 1,
    }
    assert moved["memory_analysis_requests_total completed"] == 1
    assert moved["memory_analysis_requests_total skipped"] == 1
    assert moved["memory_preferences_extracted_total like"] == 1
    assert moved["memory_analysis_duration_seconds_count"] == 1


def test_a_concept_met_again_is_recalled(client: httpx.Client) -> None:
    analyze(client, "gradual releases")
    assert analyze(client, "sudden releases")["recalled"] == ["releases"]
    assert samples(client)["concept_recall_detections_total"] == 1


def test_the_cache_holds_a_hundred_texts_and_forgets_the_oldest(tmp_path: Path) -> None:
    metrics = Metrics()
    memory = Memory(Database(tmp_path / "unused.db"), metrics, SecretStr("a-key"))
    prints = [memory.fingerprint(f"text {number}") for number in range(CACHED + 1)]
    for fingerprint in prints:
        memory.keep(fingerprint)
    assert [memory.knows(fingerprint) for fingerprint in prints] == [False] + [True] * CACHED
    assert metrics.registry.get_sample_value("memory_analysis_cache_size") == CACHED == 100


def test_fingerprints_depend_on_the_key(tmp_path: Path) -> None:
    database = Database(tmp_path / "unused.db")
    prints = {
        Memory(database, Metrics(), SecretStr(key)).fingerprint("text") for key in ("one", "two")
    }
    assert len(prints) == 2


def test_an_analysis_is_charged_to_its_session(client: httpx.Client) -> None:
    session = {"X-Session-Id": "mine"}
    client.post("/api/memory/analyze", json={"text": "three short words"}, headers=session)
    answer = client.get("/api/dashboard/costs/summary", headers=session).json()
    assert answer["messages"] == {"total": 1, "sessions": 1}
    assert answer["tokens"] == {"input": 3, "output": 3}


def test_metrics_have_the_families_that_objectives_are_computed_from(reader: httpx.Client) -> None:
    families = {f.name for f in text_string_to_metric_families(reader.get("/api/metrics").text)}
    assert len(families) >= 13
    assert families >= {
        "http_requests",
        "http_request_duration_seconds",
        "memory_analysis_requests",
        "memory_analysis_duration_seconds",
        "memory_analysis_cache_hits",
        "memory_analysis_cache_misses",
        "memory_analysis_cache_size",
        "memory_preferences_extracted",
        "memory_preferences_confidence",
        "concept_recall_detections",
        "concept_recall_similarity",
        "process_resident_memory_bytes",
    }


def test_an_uploaded_document_is_listed_until_memory_is_cleared(client: httpx.Client) -> None:
    kept = client.post("/api/documents", files={"file": ("plan.txt", b"a gradual plan")})
    assert (kept.status_code, kept.json()) == (
        201,
        {"id": 1, "name": "plan.txt", "characters": 14},
    )
    (listed,) = client.get("/api/documents").json()["documents"]
    assert listed.items() >= kept.json().items()
    cleared = client.delete("/api/memory").json()
    assert cleared["status"] == "cleared"
    assert cleared["documents"] == 1
    assert client.get("/api/documents").json() == {"documents": []}


def test_cleared_memory_analyses_the_same_text_anew(client: httpx.Client) -> None:
    analyze(client, "gradual releases")
    assert client.delete("/api/memory").json() == {
        "status": "cleared",
        "concepts": 2,
        "documents": 0,
    }
    assert analyze(client, "gradual releases")["status"] == "completed"


def test_a_web_socket_says_hello_and_echoes(serve: Serve) -> None:
    url = serve(K_REVISION="r-1").base_url.copy_with(scheme="ws", path="/ws/session-7")
    with connect(str(url)) as socket:
        assert socket.response
        assert socket.response.headers["X-Revision"] == "r-1"
        assert json.loads(socket.recv()) == {"type": "hello", "session": "session-7"}
        socket.send("ping")
        echo = {"type": "echo", "session": "session-7", "message": "ping"}
        assert json.loads(socket.recv()) == echo


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html"),
        ("/memory", "text/html"),
        ("/static/style.css", "text/css"),
        ("/static/app.js", "text/javascript"),
    ],
)
def test_pages_and_what_they_load_are_served(
    reader: httpx.Client, path: str, content_type: str
) -> None:
    answer = httpx.get(reader.base_url.join(path))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == content_type
