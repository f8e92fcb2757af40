"""Quality gates end with 0, and their counts are kept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.model.interfaces import Ended
from greenrun.model.plan import Plan, PreflightPlan
from greenrun.release.preflight import quality_gates
from greenrun.release.preflight.context import Context
from tests.conftest import World
from tests.release.preflight.conftest import Told

GREEN = "....\n== 154 passed, 2 skipped in 3.21s ==\n"
RED = "E   assert 1 == 2\nFAILED tests/test_shop.py\n1 failed, 153 passed in 4.00s\n"


@pytest.fixture
def gated(plan: Plan) -> Plan:
    commands = {"tests": ("pytest", "-q"), "lint": ("ruff", "check"), "page": ("npm", "run")}
    return replace(plan, preflight=PreflightPlan(quality_gates=commands))


def ended(status: int, output: str) -> Ended:
    return Ended(status, timedelta(seconds=3.25), output)


def test_all_pass(told: Told, gated: Plan, world: World, context: Context) -> None:
    world.commands.ends = {"pytest": ended(0, GREEN), "ruff": ended(0, ""), "npm": ended(0, "ok")}
    assert told(quality_gates.pass_all, gated) == []
    assert context.measured == [
        "quality gate tests: status 0 after 3.2 s (154 passed, 2 skipped in 3.21s)",
        "quality gate lint: status 0 after 3.2 s",
        "quality gate page: status 0 after 3.2 s",
    ]
    assert world.evidence.kept["quality gate tests"] == GREEN


def test_one_fails_and_the_others_are_run_all_the_same(
    told: Told, gated: Plan, world: World
) -> None:
    world.commands.ends = {"pytest": ended(1, RED), "npm": ended(2, "")}
    assert told(quality_gates.pass_all, gated) == [
        (
            "quality gate tests: got status 1 after 3.2 s (1 failed, 153 passed in 4.00s), needs "
            "status 0: E   assert 1 == 2 / FAILED tests/test_shop.py / "
            "1 failed, 153 passed in 4.00s; hint: run `pytest -q` and fix what it reports"
        ),
        "quality gate lint: could not run ruff: there is no such command",
        (
            "quality gate page: got status 2 after 3.2 s, needs status 0: no output; "
            "hint: run `npm run` and fix what it reports"
        ),
    ]
    assert world.progress.lines == [
        "quality gate tests: pytest -q",
        "quality gate lint: ruff check",
        "quality gate page: npm run",
    ]


def test_no_gates_are_told_as_none(told: Told, context: Context) -> None:
    assert told(quality_gates.pass_all) == []
    assert context.measured == ["quality gates: none"]
