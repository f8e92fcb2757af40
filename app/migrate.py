"""`python -m app.migrate status|apply|check|query`: dated SQL files, each applied once, by yoyo.

A file that older code does not survive says so in the comment at its head, with what it takes away:
  -- contracts: the column usd of costs
"""

import argparse
import fcntl
import json
import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import yoyo  # type: ignore[import-untyped]  # the package ships no types

from app import RefusedError
from app.agreement import disagreements
from app.database import SCHEME, Database

SHIPPED = str(Path(__file__).parent / "migrations")
COMMENT_OR_BLANK = re.compile(r"\s*(--|$)")
CONTRACTS = re.compile(r"\s*--\s*contracts\s*:", re.IGNORECASE)


@contextmanager
def alone(database: Database) -> Iterator[yoyo.backends.DatabaseBackend]:
    """yoyo, while no other process migrates; a dead one's lock went with it."""
    with database.path.with_suffix(".migrating").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with yoyo.get_backend(f"{SCHEME}{database.path}") as backend:
            backend.break_lock()
            yield backend


def found_in(sources: str) -> yoyo.migrations.MigrationList:
    """The files of one or more directories, as PATH lists them; raise RefusedError for none."""
    migrations = yoyo.read_migrations(*sources.split(os.pathsep))
    if not migrations:
        raise RefusedError(f"no migration in {sources}")
    return migrations


def status(database: Database, sources: str) -> dict[str, str]:
    """Map every migration's name, oldest first, to applied or pending."""
    migrations = found_in(sources)
    with alone(database) as backend:
        pending = list(backend.to_apply(migrations))
    return {each.id: "pending" if each in pending else "applied" for each in migrations}


def contracting(sources: str) -> set[str]:
    """The names of the migrations that older code does not survive, by what they say themselves."""
    return {each.id for each in found_in(sources) if contracts(Path(each.path).read_text("utf-8"))}


def contracts(sql: str) -> bool:
    """True where the comment at the head of a file, before any statement, says so."""
    return any(map(CONTRACTS.match, takewhile(COMMENT_OR_BLANK.match, sql.splitlines())))


def apply(database: Database, sources: str) -> Iterator[str]:
    """Yield the name of each migration once it stands; those before a failing one stay."""
    with alone(database) as backend:
        for migration in backend.to_apply(found_in(sources)):
            try:
                # yoyo's own loop marks a migration as applied in a second transaction
                with backend.transaction():
                    migration.process_steps(backend, "apply")
                    backend.mark_one(migration, log=False)
            except sqlite3.Error as error:
                raise RefusedError(f"cannot apply {migration.id}: {error}") from error
            yield migration.id


def check(database: Database) -> str:
    """Say that the sums agree with the database; raise RefusedError for the first that do not."""
    found = list(disagreements(database))
    if found:
        more = f"; and {len(found) - 3} more" if found[3:] else ""
        raise RefusedError(f"cost summaries differ: {'; '.join(found[:3])}{more}")
    return "cost summaries agree between the dashboard and the database"


def lines(options: argparse.Namespace) -> Iterator[str]:
    database = Database.named_by(os.environ)
    sources = os.environ.get("MIGRATIONS", SHIPPED)
    match options.command:
        case "query":
            yield json.dumps({"rows": database.rows(options.sql)})
        case "apply":
            yield from (f"{name} applied" for name in apply(database, sources))
        case "check":
            yield check(database)
        case "status":
            yield from told(database, sources, as_json=options.json)


def told(database: Database, sources: str, *, as_json: bool) -> Iterator[str]:
    states, without_return = status(database, sources), contracting(sources)
    if as_json:
        rows = [
            {"name": name, "state": state, "contracts": name in without_return}
            for name, state in states.items()
        ]
        yield json.dumps({"migrations": rows})
    else:
        for name, state in states.items():
            yield f"{name} {state}" + (", contracts" if name in without_return else "")


def main() -> str | None:
    """Answer None, or one line that says what went wrong."""
    parser = argparse.ArgumentParser(prog="python -m app.migrate")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("status").add_argument("--json", action="store_true")
    commands.add_parser("apply")
    commands.add_parser("check")
    commands.add_parser("query").add_argument("sql")
    try:
        for line in lines(parser.parse_args()):
            sys.stdout.write(f"{line}\n")
    except (RefusedError, OSError, sqlite3.Error, yoyo.exceptions.BadMigration) as error:
        return f"migrate: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main())
