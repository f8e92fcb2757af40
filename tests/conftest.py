"""A release whose every role is a fake with memory; and which tests run side by side."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from greenrun.model.image import Source
from greenrun.model.interfaces import Dependencies, HttpResponse, NewRevision, Timeout
from greenrun.model.lease import LeaseHolder
from greenrun.model.plan import BuildPlan, CanaryPlan, Location, MigrationPlan, Plan
from greenrun.model.revision import RevisionSettings
from greenrun.model.stats import Counts
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from greenrun.release.release import Release
from tests.fakes import (
    URL,
    FakeAccess,
    FakeBrowser,
    FakeBuilder,
    FakeCharts,
    FakeClock,
    FakeCommands,
    FakeExaminer,
    FakeLogs,
    FakeMetrics,
    FakePlatform,
    FakeScanner,
    FakeSourceControl,
    FakeVault,
    FakeWeb,
    MemoryEvidence,
    MemoryLeases,
    MemoryProgress,
    MemoryRegistry,
)

BASELINE = "shop-baseline"
HEALTHY, FAILING = Counts(199, 1), Counts(140, 60)
"""What a revision answers each second."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest where several processes share the work."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not in_containers(item))


def in_containers(item: pytest.Item) -> bool:
    return item.get_closest_marker("docker") is not None


@dataclass
class World:
    """A service in memory, and everything that a release of it asks for."""

    platform: FakePlatform
    logs: FakeLogs = field(default_factory=lambda: FakeLogs(tuple))
    web: FakeWeb = field(default_factory=FakeWeb)
    browser: FakeBrowser = field(default_factory=FakeBrowser)
    examiner: FakeExaminer = field(default_factory=FakeExaminer)
    metrics: FakeMetrics = field(init=False)
    builder: FakeBuilder = field(default_factory=FakeBuilder)
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    leases: MemoryLeases = field(default_factory=MemoryLeases)
    access: FakeAccess = field(default_factory=FakeAccess)
    source_control: FakeSourceControl = field(default_factory=FakeSourceControl)
    commands: FakeCommands = field(default_factory=FakeCommands)
    scanner: FakeScanner = field(default_factory=FakeScanner)
    clock: FakeClock = field(default_factory=FakeClock)
    charts: FakeCharts = field(default_factory=FakeCharts)
    evidence: MemoryEvidence = field(default_factory=MemoryEvidence)
    progress: MemoryProgress = field(default_factory=MemoryProgress)
    secret_store: FakeVault = field(default_factory=FakeVault)

    def __post_init__(self) -> None:
        self.metrics = FakeMetrics(self.clock)

    @classmethod
    def serving_the_baseline(cls, plan: Plan) -> "World":
        """A service whose baseline answers every user."""
        platform = FakePlatform(plan.service)
        settings = replace(plan.settings, variables={"LOG_LEVEL": "INFO"})
        platform.create(NewRevision(BASELINE, "old", settings), Timeout(timedelta(seconds=1)))

        def answering() -> list[str]:
            assert platform.state is not None
            return list(platform.state.resolved.serving)

        well = HttpResponse(200, {}, "{}", timedelta(milliseconds=5))
        tags = (plan.revision_tag, plan.baseline_tag)
        web = FakeWeb(dict.fromkeys(("/", *(f"/{tag}/" for tag in tags)), well))

        def owner(user_agent: str) -> str:
            assert platform.state is not None
            url = next(one.url for one in web.asked if one.headers.get("User-Agent") == user_agent)
            tag = url.removeprefix(URL).strip("/").partition("/")[0]
            return platform.state.actual.tags.get(tag, "")

        world = cls(platform, FakeLogs(answering, owner=owner), web)
        world.metrics.answering[BASELINE] = HEALTHY
        return world

    def end(self) -> None:
        """End all leases, and the time that they live."""
        self.leases.kept.clear()
        self.clock.sleep(timedelta(days=1))

    @property
    def dependencies(self) -> Dependencies:
        return Dependencies(**{name: getattr(self, name) for name in Dependencies.__slots__})

    @property
    def serving(self) -> dict[str, int]:
        """Who serves by now, by name and share."""
        assert self.platform.state is not None
        return self.platform.state.resolved.serving


@pytest.fixture
def plan() -> Plan:
    return Plan(
        service="shop",
        environment="local",
        place=Location("rehearsal", "europe-west1"),
        build=BuildPlan("registry.test/shop"),
        settings=RevisionSettings(variables={"LOG_LEVEL": "INFO"}),
        public=True,
        canary=CanaryPlan(
            (10, 50),
            max_duration=timedelta(minutes=1),
            max_error_increase=0.05,
            probes_per_second=0,
            alone=True,
        ),
        migration=MigrationPlan(("status",), ("apply",)),
    )


@pytest.fixture
def world(plan: Plan) -> Iterator[World]:
    """All leases end with it: a lock that a test keeps is renewed no more."""
    world = World.serving_the_baseline(plan)
    yield world
    world.end()


@pytest.fixture
def owner() -> LeaseHolder:
    return LeaseHolder("somebody@example.com", "laptop", 4711, "the-run")


@pytest.fixture
def journal(tmp_path: Path, world: World) -> Journal:
    return Journal(tmp_path / "journal.jsonl", world.clock)


@pytest.fixture
def lock(plan: Plan, world: World, owner: LeaseHolder) -> Lock:
    return Lock(plan.service, owner, world.leases, world.clock, plan.lease_duration)


@pytest.fixture
def guard(journal: Journal, lock: Lock, owner: LeaseHolder, world: World) -> ChangeGuard:
    return ChangeGuard(journal, lock, owner.run, world.progress)


@pytest.fixture
def release(plan: Plan, world: World, guard: ChangeGuard, tmp_path: Path) -> Release:
    """Not begun: nothing is claimed yet."""
    identities = {"a user": {"authorization": "Bearer x"}}
    return Release(plan, world.dependencies, guard, identities, Source(tmp_path, "c0ffee"))
