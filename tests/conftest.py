"""A release whose every role is a fake with memory."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from greenrun.domain.gate import Quantity
from greenrun.domain.image import Source
from greenrun.domain.plan import BuildPlan, CanaryPlan, MigrationPlan, Place, Plan
from greenrun.domain.revision import RevisionSettings
from greenrun.journal import Journal
from greenrun.ports import Answer, NewRevision, Patience, Roles
from greenrun.release import Release
from tests.fakes import (
    FakeBuilder,
    FakeClock,
    FakeLogs,
    FakeMetrics,
    FakePlatform,
    FakeVault,
    FakeWeb,
    MemoryEvidence,
    MemoryProgress,
)

BASELINE = "shop-baseline"
HEALTHY = {
    "requests": Quantity(200),
    "error rate": Quantity(0.5, "%"),
    "p95 latency": Quantity(90, "ms"),
}


@dataclass
class World:
    """A service in memory, and everything that a release of it asks for."""

    platform: FakePlatform
    logs: FakeLogs
    metrics: FakeMetrics
    web: FakeWeb
    builder: FakeBuilder
    clock: FakeClock
    evidence: MemoryEvidence
    progress: MemoryProgress
    vault: FakeVault

    @property
    def roles(self) -> Roles:
        return Roles(
            self.builder,
            self.platform,
            self.logs,
            self.metrics,
            self.vault,
            self.web,
            self.clock,
            self.evidence,
            self.progress,
        )

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
        place=Place("rehearsal", "europe-west1"),
        build=BuildPlan("registry.test/shop"),
        settings=RevisionSettings(variables={"LOG_LEVEL": "INFO"}),
        public=True,
        canary=CanaryPlan((10, 50), timedelta(seconds=3), fewest_requests=100),
        migration=MigrationPlan(("status",), ("apply",)),
    )


@pytest.fixture
def world(plan: Plan) -> World:
    platform = FakePlatform(plan.service)
    settings = replace(plan.settings, variables={"LOG_LEVEL": "INFO"})
    platform.create(NewRevision(BASELINE, "old", settings), Patience(timedelta(seconds=1)))

    def answering() -> list[str]:
        assert platform.state is not None
        return list(platform.state.resolved.serving)

    return World(
        platform,
        FakeLogs(answering),
        FakeMetrics(),
        FakeWeb({"/": Answer(200, {}, "{}", timedelta(milliseconds=5))}),
        FakeBuilder(),
        FakeClock(),
        MemoryEvidence(),
        MemoryProgress(),
        FakeVault(),
    )


@pytest.fixture
def journal(tmp_path: Path, world: World) -> Journal:
    return Journal(tmp_path / "journal.jsonl", world.clock)


@pytest.fixture
def release(plan: Plan, world: World, journal: Journal, tmp_path: Path) -> Release:
    identities = {"a user": {"authorization": "Bearer x"}}
    return Release(plan, world.roles, journal, identities, Source(tmp_path, "c0ffee"))
