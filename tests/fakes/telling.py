"""What tells and is told, in memory."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from greenrun.domain.gate import Quantity
from greenrun.ports import Answer, LogEntry, Probe

URL = "http://service.test"


@dataclass
class FakeClock:
    """Time that passes when somebody sleeps."""

    time: datetime = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def sleep(self, duration: timedelta) -> None:
        self.time += duration


@dataclass
class MemoryEvidence:
    """Keeps what was attached, by name."""

    kept: dict[str, str | bytes] = field(default_factory=dict)

    def attach(self, name: str, content: str | bytes, media_type: str = "text/plain") -> None:
        assert media_type
        self.kept[name] = content


@dataclass
class MemoryProgress:
    """Keeps what was reported."""

    lines: list[str] = field(default_factory=list)

    def report(self, text: str) -> None:
        self.lines.append(text)

    def present(self, text: str) -> None:
        self.lines += text.splitlines()


@dataclass
class FakeLogs:
    """Logs in memory. Requests are answered by `answering`, a reading of who serves."""

    answering: Callable[[], Sequence[str]]
    entries: dict[str, list[LogEntry]] = field(default_factory=lambda: defaultdict(list))

    def of_revision(self, name: str) -> Sequence[LogEntry]:
        return self.entries[name]

    def of_execution(self, name: str) -> Sequence[LogEntry]:
        return self.entries[name]

    def answerers(self, user_agent: str) -> Sequence[str]:
        assert user_agent
        return [revision for revision in self.answering() for _ in range(10)]


@dataclass
class FakeMetrics:
    """Figures by revision, as a test sets them."""

    figures: dict[str, Mapping[str, Quantity | None]] = field(default_factory=dict)

    def of_revision(self, name: str, since: datetime) -> Mapping[str, Quantity | None]:
        assert since.tzinfo
        return self.figures.get(name, {"requests": Quantity(0)})


@dataclass
class FakeWeb:
    """Answers by the path of the URL; anything else is 404."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Probe] = field(default_factory=list)

    def ask(self, probe: Probe) -> Answer:
        self.asked.append(probe)
        path = probe.url.removeprefix(URL)
        return self.answers.get(path, Answer(404, {}, "", timedelta(milliseconds=1)))

    def converse(self, url: str, message: str) -> Sequence[str]:
        assert url
        return [message]
