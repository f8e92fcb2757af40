"""What a release reads of the world beside the platform's state, and where it tells of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from greenrun.model.objective import Quantity
from greenrun.model.stats import Sample


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
    """The platform's own figures. What happened longer ago than `lag` is in them."""

    @property
    def lag(self) -> timedelta:
        """On Google some minutes."""

    def sample(self, revision: str, since: datetime, until: datetime | None = None) -> Sample:
        """What a revision has answered in that time; 5xx are bad, latencies are in milliseconds.

        Empty where the platform tells nothing (yet). `until` None is now.
        """

    def highest(
        self, measure: str, revision: str, since: datetime, until: datetime
    ) -> Quantity | None:
        """Return the most that an instance of a revision has had of a measure in that time.

        `memory` is in % of its limit. None where the platform knows nothing (yet).
        """


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request that we send, with JSON or a form of files (field to name and text).

    `within` shortens the time that its answer may take.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: object = field(default=None, repr=False)
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back. `headers` have lower-case names; `body` is redacted text."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)
    latency: timedelta


class HttpClient(Protocol):
    """Talks to services as their users do."""

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send it once. Raises CallFailed where no whole answer comes in time."""

    def converse(self, url: str, message: str, headers: Mapping[str, str]) -> Sequence[str]:
        """Open a WebSocket, send one message, and return all received until it was answered.

        The headers go with the handshake.
        """


class Clock(Protocol):
    """Time that tests can turn.

    Deadlines and durations rest on `monotonic`: `now` may step to and fro.
    """

    def now(self) -> datetime:
        """The present, in UTC, as the wall clock has it: for what people read."""

    def monotonic(self) -> timedelta:
        """The time since some moment in the past. It never goes back."""

    def sleep(self, duration: timedelta) -> None:
        """Let time pass."""


class Evidence(Protocol):
    """Where proof is kept, beside the sentence that made it."""

    def attach(self, name: str, content: str | bytes, media_type: str = "text/plain") -> None:
        """Keep a piece of evidence; redacted before it is written."""

    def here(self) -> "Evidence":
        """The place of what runs now, for evidence that is brought when it is over."""


class Progress(Protocol):
    """Tells the person who watches what the running sentence is at."""

    def report(self, text: str) -> None:
        """One line, which the next may replace."""

    def present(self, text: str) -> None:
        """Lines that stay."""

    def note(self, event: str, **facts: object) -> None:
        """The same for machines, of which a person hears otherwise: docs/events.md."""
