"""The roles that a release needs filled; adapters fill them, fixtures choose which."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from greenrun.domain.gate import Quantity
from greenrun.domain.image import Build, Digest, Image
from greenrun.domain.plan import BuildPlan
from greenrun.domain.revision import Revision, RevisionSettings
from greenrun.domain.service import Service
from greenrun.domain.traffic import TrafficSplit

Watch = Callable[[str], None]
"""Called with one line of what is going on, at most about once a second, while something waits."""


class Builder(Protocol):
    """Makes images from a Dockerfile."""

    def engine(self) -> str:
        """The engine's own number (`20.10.24`). Raises CallFailed when none answers."""

    def build(self, plan: BuildPlan, *, tag: str, watch: Watch) -> Build:
        """Build and tag.

        Raises GateClosed with the end of the log when the Dockerfile fails, DeadlineExceeded over
        `plan.within`, CallFailed when the engine does not answer.
        """

    def image(self, reference: str) -> Image | None:
        """Inspect an image of this machine, by name or digest."""

    def tag(self, digest: Digest, repository: str, tag: str) -> None:
        """Give an image of this machine another image tag."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a wait may last, and who hears of it meanwhile."""

    within: timedelta
    watch: Watch = field(default=lambda _: None, repr=False)


@dataclass(frozen=True, slots=True)
class NewRevision:
    """A revision that is wanted; `image` is a reference by digest."""

    name: str
    image: str
    settings: RevisionSettings = field(repr=False)


@dataclass(frozen=True, slots=True)
class Job:
    """A command of an image, run once to its end."""

    name: str
    image: str
    command: tuple[str, ...]
    settings: RevisionSettings = field(repr=False)


@dataclass(frozen=True, slots=True)
class Execution:
    """A job that has ended. `name` is the execution's short name, by which its log is found."""

    name: str
    succeeded: bool
    reason: str = ""


class Platform(Protocol):
    """Cloud Run, one service in one place.

    Every call raises CallFailed when refused (NOT_FOUND aside, which reads None), and
    DeadlineExceeded with what it last saw. A change returns when it has taken effect.
    """

    def service(self) -> Service | None:
        """One reading; None where the service does not exist."""

    def revision(self, name: str) -> Revision | None:
        """One reading of a revision, by its short name."""

    def create(self, wanted: NewRevision, patience: Patience) -> None:
        """Create the service with its first revision, which gets all traffic."""

    def deploy(self, wanted: NewRevision, split: TrafficSplit, patience: Patience) -> None:
        """Make a revision, with the split that shall hold once it is ready.

        Raises GateClosed with the platform's reason when the revision cannot start.
        """

    def split_traffic(self, split: TrafficSplit, patience: Patience) -> None:
        """Replace the split, and nothing else; returns when it is the actual one."""

    def invokable_by_all(self) -> bool:
        """True when users need no identity to reach the service."""

    def let_all_invoke(self) -> None:
        """Grant everybody the invoker role, keeping all other bindings."""

    def run(self, job: Job, patience: Patience) -> Execution:
        """Create or replace the job, run it once, without retries; returns when it has ended."""

    def remove_service(self, patience: Patience) -> None:
        """Delete the service with all its revisions. Nothing happens where there is none."""

    def remove_job(self, name: str, patience: Patience) -> None:
        """Delete a job with its executions. Nothing happens where there is none."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of a log, already redacted."""

    time: datetime
    severity: str
    text: str

    def __str__(self) -> str:
        return f"{self.time:%H:%M:%S.%f} {self.severity:<8} {self.text}"


class Logs(Protocol):
    """What revisions and job executions wrote, and who answered which request."""

    def of_revision(self, name: str) -> Sequence[LogEntry]:
        """All that a revision wrote since its start, oldest first."""

    def of_execution(self, name: str) -> Sequence[LogEntry]:
        """All that a job execution wrote, oldest first."""

    def answerers(self, user_agent: str) -> Sequence[str]:
        """The revision behind each request of that exact user agent, from the request log."""


class Metrics(Protocol):
    """The platform's own figures."""

    def of_revision(self, name: str, since: datetime) -> Mapping[str, Quantity | None]:
        """Figures of a revision over the time since `since`.

        Keys: `requests` (a count, always there), `error rate` (share of 5xx in %), `p50 latency`,
        `p95 latency`, `p99 latency` (in ms); the last four are None where there were no requests.
        """


class Vault(Protocol):
    """Secrets by reference."""

    def exists(self, secret: str, version: str) -> bool:
        """True for an enabled version."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that we send."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: object = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers` have lower-case names; `body` is redacted text."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)
    latency: timedelta


class Web(Protocol):
    """Talks to services as their users do."""

    def ask(self, probe: Probe) -> Answer:
        """Send one probe. Raises CallFailed when no answer comes."""

    def converse(self, url: str, message: str) -> Sequence[str]:
        """Open a WebSocket, send one message, and return all received until it was answered."""


class Clock(Protocol):
    """Time that tests can turn."""

    def now(self) -> datetime:
        """The present, in UTC."""

    def sleep(self, duration: timedelta) -> None:
        """Let time pass."""


class Evidence(Protocol):
    """Where proof is kept, beside the sentence that made it."""

    def attach(self, name: str, content: str | bytes, media_type: str = "text/plain") -> None:
        """Keep a piece of evidence; redacted before it is written."""


class Progress(Protocol):
    """Tells the person who watches what the running sentence is at."""

    def report(self, text: str) -> None:
        """One line."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Everything that a release needs done by others."""

    builder: Builder
    platform: Platform
    logs: Logs
    metrics: Metrics
    vault: Vault
    web: Web
    clock: Clock
    evidence: Evidence
    progress: Progress
