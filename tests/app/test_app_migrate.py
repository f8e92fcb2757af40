"""Migrations of the reference service: each once, in order, whole or not at all."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app import RefusedError
from app.database import Database
from app.migrate import SHIPPED, alone, apply, status

CREATE, ENRICH = "20250901_create_schema", "20251009_enrich_costs"


@pytest.fixture
def database(environment: dict[str, str]) -> Database:
    return Database.named_by(environment)


def more(tmp_path: Path, **files: str) -> str:
    """The shipped migrations and others, as MIGRATIONS names them."""
    for name, sql in files.items():
        (tmp_path / f"{name.removeprefix('m')}.sql").write_text(sql)
    return f"{SHIPPED}:{tmp_path}"


def test_all_are_pending_then_applied(database: Database) -> None:
    assert status(database, SHIPPED) == {CREATE: "pending", ENRICH: "pending"}
    assert list(apply(database, SHIPPED)) == [CREATE, ENRICH]
    assert status(database, SHIPPED) == {CREATE: "applied", ENRICH: "applied"}
    assert list(apply(database, SHIPPED)) == []


def test_enriched_costs_know_their_session(database: Database) -> None:
    list(apply(database, SHIPPED))
    astray = """SELECT COUNT(*) AS n FROM costs JOIN messages ON messages.id = message_id
        WHERE costs.session_id <> messages.session_id OR costs.user_id IS NULL"""
    assert database.rows(astray) == [{"n": 0}]


def test_a_failing_one_leaves_nothing_behind_and_the_earlier_ones_stay(
    database: Database, tmp_path: Path
) -> None:
    broken = "CREATE TABLE half_done (id INTEGER); ALTER TABLE costs DROP COLUMN nothing;"
    sources = more(tmp_path, m20260101_fine="SELECT 1;", m20260102_broken=broken)
    with pytest.raises(RefusedError, match=r'^cannot apply 20260102_broken: .*"nothing"'):
        list(apply(database, sources))
    assert status(database, sources) == {
        CREATE: "applied",
        ENRICH: "applied",
        "20260101_fine": "applied",
        "20260102_broken": "pending",
    }
    assert database.rows("SELECT name FROM sqlite_master WHERE name = 'half_done'") == []


def test_a_lock_left_by_a_killed_process_stops_nobody(database: Database) -> None:
    list(apply(database, SHIPPED))
    with database.transaction() as connection:
        connection.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, '2026', 1)")
    assert status(database, SHIPPED) == {CREATE: "applied", ENRICH: "applied"}


def test_two_at_the_same_moment_apply_each_once(
    environment: dict[str, str], start: Callable, database: Database
) -> None:
    with alone(database):
        both = [start(environment, "app.migrate", "apply") for _ in range(2)]
    assert [process.finished() for process in both] == [0, 0]
    lines = sorted(line for process in both for line in process.lines)
    assert lines == [f"{CREATE} applied", f"{ENRICH} applied"]
    assert database.rows("SELECT COUNT(*) AS n FROM costs") == [{"n": 800}]


def test_the_command_prints_a_line_or_json(migrated: dict[str, str], start: Callable) -> None:
    plain = start(migrated, "app.migrate", "status")
    machine = start(migrated, "app.migrate", "status", "--json")
    query = start(migrated, "app.migrate", "query", "SELECT COUNT(*) AS n FROM messages")
    assert [process.finished() for process in (plain, machine, query)] == [0, 0, 0]
    assert plain.lines == [f"{CREATE} applied", f"{ENRICH} applied"]
    assert [json.loads(line) for line in machine.lines] == [
        {
            "migrations": [
                {"name": CREATE, "state": "applied"},
                {"name": ENRICH, "state": "applied"},
            ]
        }
    ]
    assert query.lines == ['{"rows": [{"n": 800}]}']


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {"DATABASE_URL": "mysql://x"},
            "migrate: DATABASE_URL is 'mysql://x', needs sqlite:///PATH",
        ),
        (
            {"DATABASE_URL": "sqlite:////nowhere/x.db"},
            "migrate: [Errno 2] No such file or directory: '/nowhere/x.migrating'",
        ),
        ({"MIGRATIONS": "/nowhere"}, "migrate: no migration in /nowhere"),
    ],
)
def test_the_command_fails_in_one_line(
    environment: dict[str, str], start: Callable, variables: dict[str, str], line: str
) -> None:
    process = start({**environment, **variables}, "app.migrate", "apply")
    assert process.finished() == 1
    assert process.lines == [line]


def test_a_query_cannot_write(migrated: dict[str, str]) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        Database.named_by(migrated).rows("DELETE FROM costs")


def test_a_contracted_schema_breaks_the_running_code_in_words(
    client: httpx.Client, migrated: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/api/dashboard/costs/summary").status_code == 200
    contract = more(tmp_path, m20260101_contract="ALTER TABLE costs DROP COLUMN usd;")
    list(apply(Database.named_by(migrated), contract))
    answer = client.get("/api/dashboard/costs/summary")
    assert (answer.status_code, answer.json()) == (
        500,
        {"detail": "SQL error: no such column: usd"},
    )
    assert "SQL error: no such column: usd (GET /api/dashboard/costs/summary)" in caplog.messages
    assert client.get("/api/health").status_code == 200
