"""Figures of release.yaml are judged as alert rules read them, and by the same limits."""

from dataclasses import replace

import pytest

from greenrun.checks.metrics.checks import OwnMetrics
from greenrun.checks.metrics.objectives import OBJECTIVES, limits, objectives, objectives_of_canary
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.monitoring import Figure, Level, Quantile, Rate, Share
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import MonitoringPlan, Plan
from greenrun.release.release import Release
from tests.checks.deployed import answer, candidate_answers, deploy
from tests.conftest import World

TOLD = """# TYPE asked_total counter
asked_total{status="200"} 97
asked_total{status="500"} 3
# TYPE cached gauge
cached{shelf="a"} 60
cached{shelf="b"} 70
cached{shelf="c"} NaN
# TYPE took histogram
took_bucket{le="0.5"} 95
took_bucket{le="1.0"} 100
took_bucket{le="+Inf"} 100
took_count 100
took_sum 30
"""
FIGURES = (
    Figure("success rate", Share(('asked_total{status!~"5.."}',), ("asked_total",))),
    Figure("p95 latency", Quantile("took", 0.95)),
    Figure("cache size", Level("cached{}")),
    Figure("errors", Rate('asked_total{status="500"}')),
)
HEAD = ["measure", "at least", "at most"]


def most(measure: str, limit: Quantity) -> Threshold:
    return Threshold(measure, "at most", limit)


CANARY = Gate((most("error rate", Quantity(5, "%")), most("p95 latency", Quantity(800, "ms"))))


@pytest.fixture
def watched(plan: Plan) -> Plan:
    return replace(plan, monitoring=MonitoringPlan(FIGURES))


@pytest.fixture
def metrics(release: Release, world: World) -> OwnMetrics:
    deployed = deploy(release)
    candidate_answers(world, "/metrics", answer(TOLD))
    return OwnMetrics(deployed, deployed.candidate.url + "/metrics")


def test_a_figure_goes_by_its_name_in_its_own_unit(metrics: OwnMetrics, world: World) -> None:
    table = [
        HEAD,
        ["success rate", "97 %", "98 %"],
        ["p95 latency", "", "0.5 s"],
        ["cache size", "70", "70"],
        ["p50 of took", "", "1"],
    ]
    metrics.keep(objectives(OBJECTIVES.read(table), FIGURES))
    assert world.evidence.kept["objectives"].splitlines() == [
        "pass: success rate 97 % (needs at least 97 %)",
        "pass: success rate 97 % (needs at most 98 %)",
        "pass: p95 latency 500 ms (needs at most 500 ms)",
        "pass: cache size 70 (needs at least 70)",
        "pass: cache size 70 (needs at most 70)",
        "pass: p50 of took 0.2632 (needs at most 1)",
    ]


def test_the_limits_of_the_canary_are_those_of_the_figures_of_its_names(
    metrics: OwnMetrics, world: World, watched: Plan
) -> None:
    metrics.keep(objectives_of_canary(watched, CANARY))
    assert world.evidence.kept["objectives"].splitlines() == [
        "pass: success rate 97 % (needs at least 95 %)",
        "pass: p95 latency 500 ms (needs at most 800 ms)",
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["success rate", "98 %", ""], r"success rate 97 % \(needs at least 98 %\)"),
        (["p95 latency", "", "499 ms"], r"p95 latency 500 ms \(needs at most 499 ms\)"),
        (["cache size", "", "69"], r"cache size 70 \(needs at most 69\)"),
    ],
)
def test_a_figure_beyond_its_limit_closes_the_gate(
    metrics: OwnMetrics, row: list[str], reason: str
) -> None:
    with pytest.raises(GateClosed, match=reason):
        metrics.keep(objectives(OBJECTIVES.read([HEAD, row]), FIGURES))


@pytest.mark.parametrize("reading", [Level("gone"), Quantile("gone", 0.5), Share(("a",), ("b",))])
def test_a_figure_that_is_not_told_closes_the_gate(
    metrics: OwnMetrics, reading: Level | Quantile | Share
) -> None:
    unit = "1 %" if reading.unit == "%" else f"1 {reading.unit}".strip()
    with pytest.raises(GateClosed, match=r"it no data .* is not told"):
        metrics.keep(objectives(OBJECTIVES.read([HEAD, ["it", unit, ""]]), [Figure("it", reading)]))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["success rate", "0.97", ""], "figure success rate: got the limit 0.97, needs it in %"),
        (["cache size", "", "100 MiB"], "figure cache size: got the limit 100 MiB, needs it with"),
        (["cache size", "", ""], "got cache size without a limit"),
        (["errors", "", "1 /s"], "figure errors: got a limit for a rate, which one reading cannot"),
        (
            ["cache hit rate", "40 %", ""],
            r"got measure 'cache hit rate', needs .*, or a figure of release.yaml \(success rate, ",
        ),
    ],
)
def test_rows_that_cannot_be_meant(row: list[str], reason: str) -> None:
    with pytest.raises(ReleaseError, match=reason):
        objectives(OBJECTIVES.read([HEAD, row]), FIGURES)


def test_alert_rules_have_the_limits_of_every_table_for_what_is_a_figure() -> None:
    tables = [
        [HEAD, ["cache size", "", "100"], ["p50 of took", "", "1 s"]],
        [HEAD, ["p95 latency", "", "2 s"]],
    ]
    expected = (most("cache size", Quantity(100)), most("p95 latency", Quantity(2000, "ms")))
    assert limits(tables, FIGURES) == Gate(expected)
    assert limits([], FIGURES) == Gate(())


def test_a_canary_whose_objectives_no_figure_tells_proves_nothing(watched: Plan) -> None:
    memory = Gate((most("memory", Quantity(90, "%")),))
    message = "objectives of the canary: got memory, and the figures success rate, p95 latency, "
    with pytest.raises(ReleaseError, match=message):
        objectives_of_canary(watched, memory)
    with pytest.raises(ReleaseError, match="got none, and the figures"):
        objectives_of_canary(watched, Gate(()))


def test_without_figures_there_are_none_of_the_canary(plan: Plan) -> None:
    with pytest.raises(ReleaseError, match=r"release\.yaml does not say what is monitored"):
        objectives_of_canary(plan, CANARY)
