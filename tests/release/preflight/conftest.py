"""A project in a folder, and a world in which nothing stands in the way of its release."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from greenrun.model.image import Source
from greenrun.model.interfaces import Dependencies
from greenrun.model.lease import LeaseHolder
from greenrun.model.plan import Plan
from greenrun.model.stats import SequentialTest
from greenrun.release.coordination.lock import Lock
from greenrun.release.preflight.context import CheckFunction, Context
from greenrun.release.prober import Prober
from tests.conftest import World
from tests.fakes import MANIFEST

DOCKERFILE = "FROM python:3.11-slim\nCOPY app app\nEXPOSE 8080\nCMD python -m app\n"
TRIAL = SequentialTest(0.005)
Told = Callable[..., list[str]]


def context_of(plan: Plan, dependencies: Dependencies, source: Source) -> Context:
    """A release of somebody who holds no lease."""
    owner = LeaseHolder("somebody@example.com", "laptop", 4711, "the-run")
    clock, leases = dependencies.clock, dependencies.leases
    lock = Lock(plan.service, owner, leases, clock, plan.lease_duration)
    return Context(plan, dependencies, source, TRIAL, lock, Prober(dependencies, {"a user": {}}))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text("print('shop')\n")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "env.yaml").write_text('LOG_LEVEL: "INFO"\n')
    (tmp_path / "release.yaml").write_text("service: shop\n")
    return tmp_path


@pytest.fixture
def source(directory: Path) -> Source:
    return Source(directory, "c0ffee")


@pytest.fixture
def world(world: World) -> World:
    """The registry holds the baseline's image."""
    world.registry.held["old:latest"] = MANIFEST
    return world


@pytest.fixture
def plan(plan: Plan) -> Plan:
    """A rehearsal has no users: its canary lives on probes."""
    return replace(plan, canary=replace(plan.canary, probes_per_second=100))


@pytest.fixture
def context(plan: Plan, world: World, source: Source) -> Context:
    return context_of(plan, world.dependencies, source)


@pytest.fixture
def told(context: Context) -> Told:
    """What a check says of the context, or of one with another plan."""

    def ask(look: CheckFunction, plan: Plan | None = None) -> list[str]:
        asked = replace(context, plan=plan or context.plan)
        return [str(problem) for problem in look(asked)]

    return ask
