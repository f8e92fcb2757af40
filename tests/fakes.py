"""Fakes with memory: they hold what they were told, and answer by it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from greenrun.domain.gate import Quantity
from greenrun.domain.image import Build, Digest, Image
from greenrun.domain.plan import BuildPlan
from greenrun.domain.revision import Readiness, Revision
from greenrun.domain.service import Service
from greenrun.domain.traffic import TrafficSplit
from greenrun.errors import CallFailed, GateClosed
from greenrun.ports import Answer, Execution, Job, LogEntry, NewRevision, Patience, Probe, Watch

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


@dataclass
class FakeBuilder:
    """An engine whose every build gives the same image."""

    number: str = "20.10.24"
    tags: dict[str, Digest] = field(default_factory=dict)

    def engine(self) -> str:
        return self.number

    def build(self, plan: BuildPlan, *, tag: str, watch: Watch) -> Build:
        watch("Step 1/1 : FROM scratch")
        image = Image(plan.repository, tag, Digest("sha256:" + "a" * 64), 10**8, "amd64")
        self.tags[f"{plan.repository}:{tag}"] = image.digest
        return Build(image, timedelta(seconds=1), "Step 1/1 : FROM scratch")

    def image(self, reference: str) -> Image | None:
        digest = Digest("sha256:" + "a" * 64)
        repository = reference.partition("@")[0]
        return Image(repository, "", digest, 10**8, "amd64") if str(digest) in reference else None

    def tag(self, digest: Digest, repository: str, tag: str) -> None:
        self.tags[f"{repository}:{tag}"] = digest


@dataclass
class FakePlatform:
    """A service in memory. `refuses` names calls that fail; `executions` says how jobs end."""

    name: str
    state: Service | None = None
    revisions: dict[str, Revision] = field(default_factory=dict)
    public: bool = False
    refuses: set[str] = field(default_factory=set)
    unready: set[str] = field(default_factory=set)
    executions: Callable[[Job], Execution] = field(
        default=lambda job: Execution(f"{job.name}-1", succeeded=True)
    )
    calls: list[str] = field(default_factory=list)

    def service(self) -> Service | None:
        return self.state

    def revision(self, name: str) -> Revision | None:
        return self.revisions.get(name)

    def create(self, wanted: NewRevision, patience: Patience) -> None:
        self._call("create", patience)
        self._add(wanted)
        split = TrafficSplit.all_to(wanted.name)
        self.state = Service(
            self.name, URL, 1, Readiness.READY, split, split, wanted.name, wanted.name
        )

    def deploy(self, wanted: NewRevision, split: TrafficSplit, patience: Patience) -> None:
        self._call("deploy", patience)
        assert self.state is not None
        self.state = replace(self.state, wanted=split, latest_created=wanted.name)
        if wanted.image in self.unready:
            raise GateClosed(f"Revision '{wanted.name}' is not ready")
        self._add(wanted)
        urls = {target.tag: f"{URL}/{target.tag}" for target in split if target.tag}
        self.state = replace(self.state, actual=split, latest_ready=wanted.name, tag_urls=urls)

    def split_traffic(self, split: TrafficSplit, patience: Patience) -> None:
        self._call("split_traffic", patience)
        assert self.state is not None
        self.state = replace(self.state, wanted=split, actual=split)

    def invokable_by_all(self) -> bool:
        return self.public

    def let_all_invoke(self) -> None:
        self.public = True

    def run(self, job: Job, patience: Patience) -> Execution:
        self._call("run", patience)
        return self.executions(job)

    def remove_service(self, patience: Patience) -> None:
        self._call("remove_service", patience)
        self.state = None

    def remove_job(self, name: str, patience: Patience) -> None:
        self._call(f"remove_job {name}", patience)

    def _call(self, name: str, patience: Patience) -> None:
        assert patience.within > timedelta()
        self.calls.append(name)
        if name in self.refuses:
            raise CallFailed(f"{name} was refused")

    def _add(self, wanted: NewRevision) -> None:
        self.revisions[wanted.name] = Revision(
            wanted.name, wanted.image, Readiness.READY, wanted.settings
        )


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
class FakeVault:
    """Enabled secret versions, as `NAME:VERSION`."""

    versions: set[str] = field(default_factory=set)

    def exists(self, secret: str, version: str) -> bool:
        return f"{secret}:{version}" in self.versions


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
