"""A project in a folder, and a world in which nothing stands in the way of its release."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from greenrun.model.image import Source
from greenrun.model.plan import Plan
from greenrun.model.stats import SequentialTest
from greenrun.release.preflight.context import CheckFunction, Context
from tests.conftest import World
from tests.fakes import MANIFEST

DOCKERFILE = "FROM python:3.11-slim\nCOPY app app\nEXPOSE 8080\nCMD python -m app\n"
TRIAL = SequentialTest(0.005)
Told = Callable[..., list[str]]


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
    return Context(plan, world.dependencies, source, TRIAL)


@pytest.fixture
def told(context: Context) -> Told:
    """What a check says of the context, or of one with another plan."""

    def ask(look: CheckFunction, plan: Plan | None = None) -> list[str]:
        asked = Context(
            plan or context.plan, context.dependencies, context.source, TRIAL, context.measured
        )
        return [str(problem) for problem in look(asked)]

    return ask
