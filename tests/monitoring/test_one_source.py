"""Gates and alerts of this repository have the same limits, and each of them stands once."""

from pathlib import Path

import pytest

from greenrun.checks.drill import OBJECTIVES
from greenrun.checks.metrics import objectives
from greenrun.config import load_plan
from greenrun.model.objective import Gate, Threshold
from greenrun.model.plan import Plan
from greenrun.plugin.gherkin.tables import first_table, tables
from greenrun.reporting.monitoring import Objectives, figures_of, monitored
from greenrun.reporting.monitoring.objectives import alerts, figures

ROOT = Path(__file__).parents[2]
FEATURES = ROOT / "features"


@pytest.fixture(params=["local", "prod"])
def plan(request: pytest.FixtureRequest) -> Plan:
    return load_plan(ROOT, request.param)


@pytest.fixture
def canary() -> Gate:
    table = first_table(FEATURES, "these objectives of the canary")
    assert table
    return Gate(OBJECTIVES.read(table))


@pytest.fixture
def own(plan: Plan) -> Gate:
    return objectives.limits(tables(FEATURES, "they meet these objectives"), figures_of(plan))


def test_rules_have_the_limits_that_the_candidate_is_judged_by(
    plan: Plan, canary: Gate, own: Gate
) -> None:
    watched = figures(monitored(plan), Objectives(canary, own))
    ruled = {threshold for figure in watched for threshold in figure.thresholds}
    of_canary = objectives.objectives_of_canary(plan, canary)
    assert ruled == {*own.thresholds, *(objective.threshold for objective in of_canary)}
    assert {threshold.measure for threshold in ruled} == {
        *("success rate", "p95 latency", "cache hit rate", "cache size")
    }


def test_policies_have_the_limits_of_the_canary(plan: Plan, canary: Gate) -> None:
    told = {alert.threshold for alert in alerts(monitored(plan), canary)}
    assert told
    assert told <= set(canary.thresholds)


def test_no_limit_stands_twice(canary: Gate, own: Gate) -> None:
    def places(thresholds: tuple[Threshold, ...]) -> list[tuple[str, str]]:
        return [(one.measure, one.relation) for one in thresholds]

    implied = [("success rate", "at least")]
    stated = places(canary.thresholds) + places(own.thresholds) + implied
    assert len(stated) == len(set(stated))
