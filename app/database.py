"""The SQLite file that all revisions of the service share."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import RefusedError

SCHEME = "sqlite:///"


@dataclass(frozen=True)
class Database:
    """A file that migrations make; its rollback journal lets several containers write it."""

    path: Path

    @classmethod
    def named_by(cls, environment: Mapping[str, str]) -> "Database":
        url = environment.get("DATABASE_URL", "")
        if not url.startswith(SCHEME):
            raise RefusedError(f"DATABASE_URL is {url!r}, needs {SCHEME}PATH")
        return cls(Path(url.removeprefix(SCHEME)).absolute())

    @contextmanager
    def transaction(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """Everything or nothing; waits for other writers up to 5 s."""
        address = f"{self.path.as_uri()}?mode=rw"
        connection = sqlite3.connect(address, uri=True, timeout=5, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute(begin)
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()

    def rows(self, sql: str, **values: object) -> list[dict[str, Any]]:
        """What a query finds; refuses to write."""
        with self.transaction("BEGIN") as connection:
            connection.execute("PRAGMA query_only = ON")
            return [dict(row) for row in connection.execute(sql, values)]
