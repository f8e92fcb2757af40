"""Migrations: commands of the image, run once each as job executions on the platform."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import indent

from greenrun.model import json_codec
from greenrun.model.errors import DeadlineExceeded, GateClosed, ReleaseError
from greenrun.model.interfaces import Dependencies, Execution, Job, LogEntry, Timeout
from greenrun.model.plan import MigrationPlan, Plan
from greenrun.model.polling import polls
from greenrun.release.coordination.journal import Changes

_LAST_WORDS = 10
"""Lines of a log that tell why a command failed."""

_UNREAD = "could not read the status of the migrations"
_UNAPPLIED = "could not apply the migrations"
_DISAGREE = "the check of the data did not hold"

_ROW = '{"name": ..., "state": "applied" or "pending", "contracts": true or false}'
_STATUS = f'{{"migrations": [{_ROW}, ...]}}'
_MEND = "mend the migration; what was applied before it stays applied"
_EXPAND_FIRST = (
    "expand first: let one release do without the old schema, and contract with the next; "
    "or set `migration.allow-contracting`, and give up the way back"
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One schema change by its dated name. Code of before does not survive one that contracts."""

    name: str
    applied: bool
    contracts: bool = False

    def __str__(self) -> str:
        state = "applied" if self.applied else "pending"
        return f"{self.name} {state}" + (", contracts" if self.contracts else "")


@dataclass(frozen=True, slots=True)
class _Ended:
    """A command of the image, and the execution that ran it to its end."""

    command: str
    execution: Execution


def migration_job(plan: Plan) -> str:
    """The short name of the job that runs the migrations of a service."""
    return f"{plan.service}-migration"


class Migrations:
    """The migrations that one image brings."""

    def __init__(  # noqa: PLR0913, PLR0917 - by `of` alone
        self,
        plan: Plan,
        migration: MigrationPlan,
        image: str,
        dependencies: Dependencies,
        guard: Changes,
        baseline: str = "",
    ) -> None:
        self._plan = plan
        self._baseline = baseline
        self._migration = migration
        self._image = image
        self._dependencies = dependencies
        self._guard = guard

    @classmethod
    def of(
        cls,
        plan: Plan,
        image: str,
        dependencies: Dependencies,
        guard: Changes,
        baseline: str = "",
    ) -> "Migrations":
        """Those of the plan, run as the baseline would. Raises ReleaseError where it has none."""
        if plan.migration is None:
            raise ReleaseError("release.yaml names no migration", hint="add the key `migration`")
        return cls(plan, plan.migration, image, dependencies, guard, baseline)

    @property
    def job(self) -> str:
        """The short name of the job that runs them."""
        return migration_job(self._plan)

    def status(self) -> tuple[Migration, ...]:
        """Ask the image which migrations it knows and which of them the database has."""
        ended = self._run(self._migration.status)
        if not ended.execution.succeeded:
            raise self._failed(_UNREAD, ended)
        return _parsed(self._status_line(ended))

    def apply(self, contracted: Callable[[bool], None]) -> tuple[Migration, ...]:
        """Apply what is pending, then have the data checked; all migrations as they are then.

        Args:
            contracted: called with True before anything contracts the schema, so that it is written
                down by then; with False afterwards where nothing did after all.

        Raises:
            GateClosed: what is pending contracts, and may not (nothing was applied then); or a
                migration or the check of the data failed, with the end of its log.
        """
        migrations = self._kept("migrations before", self.status())
        if pending := [each for each in migrations if not each.applied]:
            migrations = self._apply(pending, contracted)
        self.check()
        return migrations

    def set_up(self) -> None:
        """Apply all of them to the database of a service that serves nobody yet."""
        ended = self._run(self._migration.apply)
        if not ended.execution.succeeded:
            raise self._failed(_UNAPPLIED, ended)

    def check(self) -> None:
        """Have the image check the data, where the plan says how. Raises GateClosed."""
        if not self._migration.check:
            return
        ended = self._run(self._migration.check)
        if not ended.execution.succeeded:
            raise self._failed(_DISAGREE, ended)
        self._keep_log(ended)

    def _apply(
        self, pending: Sequence[Migration], contracted: Callable[[bool], None]
    ) -> tuple[Migration, ...]:
        contracting = [each.name for each in pending if each.contracts]
        if contracting:
            self._expect_allowed(contracting)
            contracted(True)  # noqa: FBT003 - a callback's parameters have no names
        ended = self._run(self._migration.apply)
        failed = None if ended.execution.succeeded else self._failed(_UNAPPLIED, ended, _MEND)
        after = self._status_after(failed)
        if contracting and not any(each.applied for each in after if each.name in contracting):
            contracted(False)  # noqa: FBT003 - likewise
        if failed is not None:
            raise failed
        self._keep_log(ended)
        return after

    def _expect_allowed(self, contracting: Sequence[str]) -> None:
        if not self._migration.allow_contracting:
            raise GateClosed(
                f"{_UNAPPLIED}: got a schema that contracts by {', '.join(contracting)}, "
                "needs one that the baseline survives; nothing was applied",
                hint=_EXPAND_FIRST,
            )

    def _status_after(self, failed: GateClosed | None) -> tuple[Migration, ...]:
        """The status; where it cannot be told after a failure, that failure is what is raised."""
        try:
            return self._kept("migrations after", self.status())
        except (GateClosed, ReleaseError) as error:
            if failed is None:
                raise
            raise failed from error

    def _run(self, command: tuple[str, ...]) -> _Ended:
        job = Job(self.job, self._image, command, self._plan.settings, self._baseline)
        timeout = Timeout(self._migration.within, self._dependencies.progress.report)
        with self._guard.change("run job", self.job, command=" ".join(command)):
            return _Ended(" ".join(command), self._dependencies.platform.run(job, timeout))

    def _failed(self, what: str, ended: _Ended, hint: str = "") -> GateClosed:
        log: Sequence[LogEntry] = ()
        for _ in polls(self._dependencies.clock, self._plan.log_timeout):
            before, log = log, self._log(ended)
            if log and len(log) == len(before):
                break
        self._keep_log(ended)
        end = indent("\n".join(entry.text for entry in log[-_LAST_WORDS:]) or "nothing", "  ")
        return GateClosed(
            f"{what}: {ended.execution.reason}; the end of its log:\n{end}", hint=hint
        )

    def _status_line(self, ended: _Ended) -> str:
        begun = self._dependencies.clock.monotonic()
        for _ in polls(self._dependencies.clock, self._plan.log_timeout):
            log = self._log(ended)
            if found := [entry.text for entry in log if _is_status(entry.text)]:
                self._keep_log(ended)
                return found[-1]
        raise DeadlineExceeded(
            f"the status of the migrations in the log of {ended.execution.name}",
            after=self._dependencies.clock.monotonic() - begun,
            last_seen=log[-1].text if log else "no line",
            hint=f"the status command prints one line {_STATUS}",
        )

    def _log(self, ended: _Ended) -> Sequence[LogEntry]:
        return self._dependencies.logs.of_execution(ended.execution.name)

    def _keep_log(self, ended: _Ended) -> None:
        text = "\n".join(map(str, self._log(ended))) or "nothing"
        self._dependencies.evidence.attach(f"log of {ended.command}", text)

    def _kept(self, name: str, migrations: tuple[Migration, ...]) -> tuple[Migration, ...]:
        text = "\n".join(map(str, migrations)) or "no migration at all"
        self._dependencies.evidence.attach(name, text)
        return migrations


def _is_status(line: str) -> bool:
    """Return True for a line that says it is one, also where it cannot be read.

    A library may log a line of JSON after it, as of a pool that it closes.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return line.lstrip().startswith('{"migrations"')
    return isinstance(found, dict) and "migrations" in found


def _parsed(line: str) -> tuple[Migration, ...]:
    try:
        return json_codec.document(line, "status", _migrations)
    except ValueError as error:
        raise ReleaseError(f"{_UNREAD}: got {line!r}, needs {_STATUS}") from error


def _migrations(found: object, key: str) -> tuple[Migration, ...]:
    match found:
        case {"migrations": rows}:
            return json_codec.each(_migration)(rows, f"{key}.migrations")
        case _:
            return json_codec.refuse(found, key, "an object with migrations")


def _migration(found: object, key: str) -> Migration:
    """Names go onto the lease of the release: they have to be texts that can be written."""
    match found:
        case {"name": name, "state": "applied" | "pending" as state, **others}:
            contracts = json_codec.flag(others.get("contracts", False), f"{key}.contracts")
            return Migration(json_codec.text(name, f"{key}.name"), state == "applied", contracts)
        case _:
            return json_codec.refuse(found, key, _ROW)
