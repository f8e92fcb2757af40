"""What those who come later need to know of a release, as plain values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import TypeAdapter

from greenrun.model.errors import GateClosed
from greenrun.model.objective import Quantity
from greenrun.model.release_state import DELETION
from greenrun.model.results import RunSummary, ScenarioResult

RELEASED = "released"
AS_BEFORE = "not released, users served as before"
PERSON_NEEDED = "not released, and a person is needed"

_NEEDED = (
    *("image", "image_id", "url", "baseline", "candidate"),
    *("checks", "roll_back", "rollback", "journal"),
)
"""What no record of a released candidate may leave open."""


@dataclass(frozen=True, slots=True)
class RecordedCounts:
    """What somebody had counted since the canary began: figures of both revisions by measure."""

    by: str
    candidate: Mapping[str, Quantity | None] = field(repr=False)
    baseline: Mapping[str, Quantity | None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """One rise of the share, its verdict and the sentence that tells why.

    Verdicts are `pass`, `inconclusive`, `no data` and `fail`; `seconds` is what it took.
    """

    share: int
    verdict: str
    judged: str
    seconds: float
    counted: tuple[RecordedCounts, ...]


@dataclass(frozen=True, slots=True)
class RecordedPolicy:
    """What became of the alert policy for one objective, and what was found different in it."""

    alert: str
    outcome: str
    differences: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.alert}: {'; '.join([self.outcome, *self.differences])}"


@dataclass(frozen=True, slots=True)
class Record:
    """One release. Empty or None where it did not come to that, or where nobody answered.

    `migrations_before` is what the release before this one had left. `next` is what a person does
    now. `document` is the record that is kept, relative to release.yaml.
    """

    run: str
    outcome: str
    exit_status: int | None
    next: str
    service: str
    environment: str
    project: str
    region: str
    url: str
    started: datetime
    ended: datetime
    seconds: float
    commit: str
    branch: str
    subjects: tuple[str, ...]
    image: str
    repository: str
    image_tag: str
    image_id: str
    manifest: str
    pushed: bool
    baseline: str
    candidate: str
    ready_seconds: float | None
    traffic: str
    steps: tuple[RecordedStep, ...]
    alert_policies: tuple[RecordedPolicy, ...]
    migrations_before: tuple[str, ...] | None
    migrations: tuple[str, ...] | None
    contracted: bool
    promise: str
    checks: tuple[ScenarioResult, ...]
    problems: tuple[str, ...]
    roll_back: str
    rollback: str
    lease: int | None
    journal: str
    document: str = ""
    summary: RunSummary | None = None

    def __repr__(self) -> str:
        return f"<record of {self.service} on {self.environment}: {self.outcome}>"

    @property
    def migrated(self) -> tuple[str, ...]:
        """The migrations that this release has applied, where that is known."""
        if self.migrations is None or self.migrations_before is None:
            return ()
        return tuple(name for name in self.migrations if name not in self.migrations_before)

    @property
    def stopped_by(self) -> str:
        """Why the canary went no further, in a sentence; empty where it passed, or never began."""
        last = self.steps[-1] if self.steps else None
        return last.judged if last and last.verdict != "pass" else ""

    @property
    def is_first(self) -> bool:
        """True for the first release of a service, which has no baseline."""
        return self.promise == DELETION

    def is_complete(self) -> None:
        """A released candidate's record tells what was released, how it was proven, the way back.

        Raises:
            GateClosed: naming what is missing.
        """
        needed = set(_NEEDED if self.outcome == RELEASED else ())
        needed -= {"baseline"} if self.is_first else set()
        if missing := [name for name in _NEEDED if name in needed and not getattr(self, name)]:
            raise GateClosed(
                f"the record of {self.service}: got no {', '.join(missing)}, needs each of them"
            )

    def ended_with(self, status: int) -> "Record":
        """The same, with the exit status of the run."""
        return replace(self, exit_status=status)

    def redacted(self, redact: Callable[[str], str]) -> "Record":
        """The same, with every text in it redacted."""
        fields = _without_secrets(_record().dump_python(self), redact)
        return _record().validate_python(fields)

    def as_json(self) -> str:
        """The record as machines read it; docs/record.md tells of each key."""
        return _record().dump_json(self, indent=2).decode() + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """The record that `as_json` made. Raises ValueError for anything else."""
        return _record().validate_json(text)


@cache
def _record() -> "TypeAdapter[Record]":
    from pydantic import TypeAdapter  # noqa: PLC0415 - takes a while, and a record comes last

    return TypeAdapter(Record)


def _without_secrets(value: object, redact: Callable[[str], str]) -> object:
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {key: _without_secrets(item, redact) for key, item in value.items()}
        case tuple():
            return tuple(_without_secrets(item, redact) for item in value)
        case _:
            return value
