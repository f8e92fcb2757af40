"""Whether the sums that the dashboard shows agree with the rows that they stand for."""

import math
import sqlite3
from collections.abc import Iterator, Mapping

from app.dashboard import SUMMARY
from app.database import Database

COUNTED = """
    WITH heard AS (SELECT * FROM messages WHERE :session IS NULL OR session_id = :session),
        charged AS (SELECT costs.* FROM costs JOIN heard ON heard.id = costs.message_id)
    SELECT (SELECT COUNT(*) FROM heard) AS "messages.total",
        (SELECT COUNT(DISTINCT session_id) FROM heard) AS "messages.sessions",
        COUNT(*) AS "costs.total", TOTAL(usd) AS "costs.total_usd",
        TOTAL(usd) / MAX(COUNT(*), 1) AS "costs.average_usd",
        TOTAL(input_tokens) AS "tokens.input", TOTAL(output_tokens) AS "tokens.output"
    FROM charged"""
"""What a message costs belongs to its session, whatever the cost itself says of that."""

PRECISION = 1e-6
"""The dashboard rounds to as many digits."""

Sums = Mapping[str, float]


def disagreements(database: Database) -> Iterator[str]:
    """Yield each sum that is not the same, of all sessions together and of each of them."""
    with database.transaction("BEGIN") as connection:
        sessions = connection.execute("SELECT DISTINCT session_id FROM messages ORDER BY 1")
        for session in (None, *(row["session_id"] for row in sessions.fetchall())):
            counted = _row(connection, COUNTED, session)
            shown = _shown(connection, session)
            yield from (
                f"{key} of {session or 'all sessions'} is {shown[key]:g} in the dashboard, "
                f"{value:g} in the database"
                for key, value in counted.items()
                if not math.isclose(shown[key], value, rel_tol=1e-9, abs_tol=PRECISION)
            )


def _shown(connection: sqlite3.Connection, session: str | None) -> Sums:
    """The sums by the queries of the service itself."""
    return {
        f"{part}.{key}": value
        for part, query in SUMMARY.items()
        for key, value in _row(connection, f"SELECT {query}", session).items()
    }


def _row(connection: sqlite3.Connection, query: str, session: str | None) -> Sums:
    return dict(connection.execute(query, {"session": session}).fetchone())
