"""Migrations: commands of the image, run once each as job executions on the platform."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from textwrap import indent

from greenrun.domain.plan import MigrationPlan, Plan
from greenrun.errors import DeadlineExceeded, GateClosed, ReleaseError
from greenrun.journal import Journal
from greenrun.ports import Execution, Job, LogEntry, Patience, Roles

_LOG_LAG = timedelta(seconds=30)
"""How long an execution's log may take to arrive."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One schema change by its dated name."""

    name: str
    applied: bool

    def __str__(self) -> str:
        return f"{self.name} {'applied' if self.applied else 'pending'}"


class Migrations:
    """The migrations that one image brings."""

    def __init__(
        self, plan: Plan, migration: MigrationPlan, image: str, roles: Roles, journal: Journal
    ) -> None:
        self._journal = journal
        self._plan = plan
        self._migration = migration
        self._image = image
        self._roles = roles

    @property
    def job(self) -> str:
        """The short name of the job that runs them."""
        return f"{self._plan.service}-migration"

    def status(self) -> tuple[Migration, ...]:
        """Ask the image which migrations it knows and which of them the database has."""
        execution = self._run(self._migration.status)
        if not execution.succeeded:
            raise GateClosed(self._failure("read the status of the migrations", execution))
        return _parsed(self._last_json_line(execution))

    def apply(self) -> None:
        """Apply what is pending. Raises GateClosed with the log when one fails."""
        execution = self._run(self._migration.apply)
        log = self._roles.logs.of_execution(execution.name)
        self._roles.evidence.attach("migration log", "\n".join(map(str, log)))
        if not execution.succeeded:
            raise GateClosed(
                self._failure("apply the migrations", execution),
                hint="mend the migration; what was applied before it stays applied",
            )

    def _run(self, command: tuple[str, ...]) -> Execution:
        job = Job(self.job, self._image, command, self._plan.settings)
        patience = Patience(self._migration.within, self._roles.progress.report)
        with self._journal.change("run job", self.job, command=" ".join(command)):
            return self._roles.platform.run(job, patience)

    def _failure(self, what: str, execution: Execution) -> str:
        log = self._roles.logs.of_execution(execution.name)
        end = indent("\n".join(entry.text for entry in log[-10:]) or "nothing", "  ")
        return f"could not {what}: {execution.reason}; the end of its log:\n{end}"

    def _last_json_line(self, execution: Execution) -> str:
        clock, waited = self._roles.clock, timedelta()
        while waited <= _LOG_LAG:
            log = self._roles.logs.of_execution(execution.name)
            for entry in reversed(log):
                if entry.text.startswith("{"):
                    return entry.text
            clock.sleep(timedelta(milliseconds=200))
            waited += timedelta(milliseconds=200)
        raise DeadlineExceeded(
            f"the status of the migrations in the log of {execution.name}",
            after=waited,
            last_seen=_shown(log),
            hint='the status command prints one line {"migrations": [{"name": ..., "state": ...}]}',
        )


def _parsed(line: str) -> tuple[Migration, ...]:
    try:
        rows = json.loads(line)["migrations"]
        return tuple(Migration(row["name"], row["state"] == "applied") for row in rows)
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseError(
            f"could not read the status of the migrations: got {line!r}, "
            'needs {"migrations": [{"name": ..., "state": "applied" or "pending"}]}'
        ) from error


def _shown(log: Sequence[LogEntry]) -> str:
    return log[-1].text if log else "no line"
