"""What tells and is told, in memory."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from greenrun.model.canary_step import CanaryStep
from greenrun.model.interfaces import Chart, HttpRequest, HttpResponse, LogEntry
from greenrun.model.objective import Quantity
from greenrun.model.stats import Counts, Histogram, Sample

URL = "http://service.test"
BUCKETS = Histogram.exponential(66, 1.4, 1.0)


@dataclass
class FakeClock:
    """Time that passes when somebody sleeps; `stepped` is how far the wall clock was set."""

    time: datetime = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    stepped: timedelta = timedelta()

    def now(self) -> datetime:
        return self.time + self.stepped

    def monotonic(self) -> timedelta:
        return self.time - datetime(2026, 1, 1, tzinfo=UTC)

    def sleep(self, duration: timedelta) -> None:
        self.time += duration


class FakeCharts:
    """A chart that says which steps it shows."""

    def of_canary(self, steps: Sequence[CanaryStep]) -> Sequence[Chart]:
        shares = ", ".join(f"{one.share} %" for one in steps)
        return [Chart("canary", f"<svg>{shares}</svg>".encode())] if shares else []


@dataclass
class MemoryEvidence:
    """Keeps what was attached, by name."""

    kept: dict[str, str | bytes] = field(default_factory=dict)

    def attach(self, name: str, content: str | bytes, media_type: str = "text/plain") -> None:
        assert media_type
        self.kept[name] = content

    def here(self) -> "MemoryEvidence":
        return self


@dataclass
class MemoryProgress:
    """Keeps what was reported."""

    lines: list[str] = field(default_factory=list)
    notes: list[dict[str, object]] = field(default_factory=list)

    def report(self, text: str) -> None:
        self.lines.append(text)

    def note(self, event: str, **facts: object) -> None:
        self.notes.append({"event": event, **facts})

    def present(self, text: str) -> None:
        self.lines += text.splitlines()


@dataclass
class FakeLogs:
    """Logs in memory. Requests are answered by `answering`, a reading of who serves.

    `owner` is the revision whose own URL the requests of a user agent went to, if they did.
    """

    answering: Callable[[], Sequence[str]]
    owner: Callable[[str], str] = lambda _: ""
    entries: dict[str, list[LogEntry]] = field(default_factory=lambda: defaultdict(list))

    def of_revision(self, name: str) -> Sequence[LogEntry]:
        return self.entries[name]

    def of_execution(self, name: str) -> Sequence[LogEntry]:
        return self.entries[name]

    def answerers(self, user_agent: str) -> Sequence[str]:
        assert user_agent
        owner = self.owner(user_agent)
        revisions = [owner] if owner else self.answering()
        return [revision for revision in revisions for _ in range(10)]


@dataclass
class FakeMetrics:
    """Requests that revisions answer each second, good and bad; all of `latency` milliseconds.

    `told` overrules them, by name. What happened within `lag` is not told yet,
    by the platform's own clock, which nobody sets. `using` is the most
    of their memory that revisions use, in %, by name; of others nothing is told.
    """

    clock: FakeClock
    answering: dict[str, Counts] = field(default_factory=dict)
    latency: float = 5.0
    lag: timedelta = timedelta()
    told: dict[str, Sample] = field(default_factory=dict)
    using: dict[str, float] = field(default_factory=dict)

    def sample(self, revision: str, since: datetime, until: datetime | None = None) -> Sample:
        if revision in self.told:
            return self.told[revision]
        rate = self.answering.get(revision, Counts())
        told = min(self.clock.time - self.lag, until or self.clock.time)
        seconds = max(0, round((told - since).total_seconds()))
        counts = Counts(rate.good * seconds, rate.bad * seconds)
        buckets = [0] * (len(BUCKETS.bounds) + 1)
        buckets[bisect_right(BUCKETS.bounds, self.latency)] = counts.total
        return Sample(counts, Histogram(BUCKETS.bounds, tuple(buckets)))

    def highest(
        self, measure: str, revision: str, since: datetime, until: datetime
    ) -> Quantity | None:
        assert measure == "memory"
        told = until - self.lag > since
        return Quantity(self.using[revision], "%") if told and revision in self.using else None


@dataclass
class FakeWeb:
    """Answers by the path of the URL, or by what answers there; anything else is 404.

    `shown` are the headers of each conversation.
    """

    answers: dict[str, HttpResponse | Callable[[HttpRequest], HttpResponse]] = field(
        default_factory=dict
    )
    asked: list[HttpRequest] = field(default_factory=list)
    shown: list[Mapping[str, str]] = field(default_factory=list)

    def send(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        path = request.url.removeprefix(URL)
        answer = self.answers.get(path, HttpResponse(404, {}, "", timedelta(milliseconds=1)))
        return answer if isinstance(answer, HttpResponse) else answer(request)

    def converse(self, url: str, message: str, headers: Mapping[str, str]) -> Sequence[str]:
        assert url
        self.shown.append(headers)
        return [message]
