"""Migrations of the reference service: each once, in order, whole or not at all."""

import json
import sqlite3
from pathlib import Path

import httpx
import pytest

from app import RefusedError
from app.agreement import disagreements
from app.database import Database
from app.migrate import SHIPPED, alone, apply, contracting, contracts, status
from tests.app.conftest import Start

CREATE, ENRICH = "20250901_create_schema", "20251009_enrich_costs"
DROP = "20261101_drop_usd"


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


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("-- contracts: a column\nSELECT 1;", True),
        ("-- depends: x\n\n--Contracts:\nSELECT 1;", True),
        ("-- It contracts: not as a marker\nSELECT 1;", False),
        ("SELECT 1;\n-- contracts: too late\n", False),
        ("", False),
    ],
)
def test_a_file_says_at_its_head_that_it_contracts(sql: str, told: bool) -> None:  # noqa: FBT001 - a parameter
    assert contracts(sql) is told


def test_one_that_contracts_is_told_apart(migrated: dict[str, str], start: Start) -> None:
    sources = f"{SHIPPED}:app/drills/contracting"
    assert contracting(sources) == {DROP}
    plain, machine = (
        start({**migrated, "MIGRATIONS": sources}, "app.migrate", "status", *options)
        for options in ((), ("--json",))
    )
    assert [process.finished() for process in (plain, machine)] == [0, 0]
    assert plain.lines[-1] == f"{DROP} pending, contracts"
    (rows,) = (json.loads(line)["migrations"] for line in machine.lines)
    assert rows[-1] == {"name": DROP, "state": "pending", "contracts": True}


def test_summaries_that_agree_pass_the_check(migrated: dict[str, str], start: Start) -> None:
    process = start(migrated, "app.migrate", "check")
    assert process.finished() == 0
    assert process.lines == ["cost summaries agree between the dashboard and the database"]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (
            "UPDATE costs SET session_id = 'session-2' WHERE message_id = 1",
            [
                "costs.total of session-1 is 266 in the dashboard, 267 in the database",
                "costs.total of session-2 is 268 in the dashboard, 267 in the database",
            ],
        ),
        (
            "DELETE FROM messages WHERE id = 1",
            ["costs.total of all sessions is 800 in the dashboard, 799 in the database"],
        ),
    ],
)
def test_summaries_that_differ_are_told(
    migrated: dict[str, str], start: Start, damage: str, found: list[str]
) -> None:
    database = Database.named_by(migrated)
    with database.transaction() as connection:
        connection.execute(damage)
    assert set(found) <= set(disagreements(database))
    process = start(migrated, "app.migrate", "check")
    assert process.finished() == 1
    assert len(process.lines) == 1
    assert process.lines[0].startswith(f"migrate: cost summaries differ: {found[0]}; ")


def test_a_check_of_a_schema_that_is_not_there_fails(
    environment: dict[str, str], start: Start
) -> None:
    process = start(environment, "app.migrate", "check")
    assert process.finished() == 1
    assert process.lines == ["migrate: unable to open database file"]


def test_a_lock_left_by_a_killed_process_stops_nobody(database: Database) -> None:
    list(apply(database, SHIPPED))
    with database.transaction() as connection:
        connection.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, '2026', 1)")
    assert status(database, SHIPPED) == {CREATE: "applied", ENRICH: "applied"}


def test_two_at_the_same_moment_apply_each_once(
    environment: dict[str, str], start: Start, database: Database
) -> None:
    with alone(database):
        both = [start(environment, "app.migrate", "apply") for _ in range(2)]
    assert [process.finished() for process in both] == [0, 0]
    lines = sorted(line for process in both for line in process.lines)
    assert lines == [f"{CREATE} applied", f"{ENRICH} applied"]
    assert database.rows("SELECT COUNT(*) AS n FROM costs") == [{"n": 800}]


def test_the_command_prints_a_line_or_json(migrated: dict[str, str], start: Start) -> None:
    plain = start(migrated, "app.migrate", "status")
    machine = start(migrated, "app.migrate", "status", "--json")
    query = start(migrated, "app.migrate", "query", "SELECT COUNT(*) AS n FROM messages")
    assert [process.finished() for process in (plain, machine, query)] == [0, 0, 0]
    assert plain.lines == [f"{CREATE} applied", f"{ENRICH} applied"]
    assert [json.loads(line) for line in machine.lines] == [
        {
            "migrations": [
                {"name": CREATE, "state": "applied", "contracts": False},
                {"name": ENRICH, "state": "applied", "contracts": False},
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
    environment: dict[str, str], start: Start, variables: dict[str, str], line: str
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
