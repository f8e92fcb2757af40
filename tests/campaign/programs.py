"""The images of a campaign: candidates good and bad, and the migrations that they bring."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from cloudrun_emulator.runtime.programs import Process, Program, crash, echo, flaky, slow
from tests.fakes.images import MANIFEST

HEALTHY, FAILING, SLOW, CRASH, MIGRATE = "healthy", "failing", "slow", "crash", "migrate"
REGISTRY = "registry.test"


@dataclass
class Database:
    """What migrations have changed; `applied` counts how often each was, so that once can be told.

    `known` are the names of all migrations, `contracting` of those that old code does not survive.
    """

    known: tuple[str, ...] = ("20251009_enrich_costs",)
    contracting: frozenset[str] = frozenset()
    applied: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock, repr=False)

    def status(self) -> dict[str, list[dict[str, object]]]:
        """As the command for the status prints it."""
        with self.lock:
            return {"migrations": [self._row(name) for name in self.known]}

    def apply(self) -> list[str]:
        """The names of those that were pending and are applied now, in their order."""
        with self.lock:
            pending = [name for name in self.known if not self.applied[name]]
            self.applied.update(pending)
            return pending

    def _row(self, name: str) -> dict[str, object]:
        state = "applied" if self.applied[name] else "pending"
        return {"name": name, "state": state, "contracts": name in self.contracting}


def migration(database: Database) -> Program:
    """`migrate status`, `migrate apply`, `migrate check`; anything else exits with 2."""

    def migrate(process: Process) -> int:
        match process.args[:1]:
            case ("status",):
                process.print(json.dumps(database.status()))
            case ("apply",):
                for name in database.apply():
                    process.print(f"applied {name}")
            case ("check",):
                pending = [name for name in database.known if not database.applied[name]]
                process.print(f"pending: {pending}")
                return 1 if pending else 0
            case _:
                process.print(f"usage: migrate status|apply|check, got {process.args}", "stderr")
                return 2
        return 0

    return migrate


def campaign(database: Database) -> Mapping[str, Program]:
    """The programs of a campaign by name: `failing` answers 500 to every second request."""
    return {
        HEALTHY: echo,
        FAILING: flaky,
        SLOW: slow,
        CRASH: crash,
        MIGRATE: migration(database),
    }


def deployable() -> Mapping[str, Program]:
    """The same as releases name them, by digest, with a database of their own."""
    programs = campaign(Database())
    return {**{reference(kind): program for kind, program in programs.items()}, **programs}


def reference(kind: str) -> str:
    """The name under which a release deploys a program."""
    return f"{REGISTRY}/{kind}@{MANIFEST}"
