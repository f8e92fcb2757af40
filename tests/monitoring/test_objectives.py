"""From the objectives of features to what is watched."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.model.errors import ReleaseError
from greenrun.model.monitoring import Alert, Figure, Level, Quantile, Rate, Reading, Share
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import MonitoringPlan
from greenrun.reporting.monitoring.objectives import Objectives, alerts, figures, in_unit

FIVE = timedelta(minutes=5)


def test_people_are_alerted_by_the_objectives_that_released_it(
    watched: MonitoringPlan, objectives: Objectives
) -> None:
    assert alerts(watched, objectives.canary) == (
        Alert(Threshold("error rate", "at most", Quantity(5, "%")), FIVE),
        Alert(Threshold("p99 latency", "at most", Quantity(2000, "ms")), FIVE),
    )
    assert [str(alert) for alert in alerts(watched, objectives.canary)] == [
        "error rate over 5 % for 5 min",
        "p99 latency over 2000 ms for 5 min",
    ]


def test_an_alert_without_an_objective_is_refused(
    watched: MonitoringPlan, objectives: Objectives
) -> None:
    plan = replace(watched, alerts=("memory", "error rate"))
    with pytest.raises(
        ReleaseError,
        match="could not alert by memory: got objectives of error rate, p95 latency, p99 latency",
    ):
        alerts(plan, objectives.canary)


def test_an_objective_in_another_unit_is_refused(watched: MonitoringPlan) -> None:
    seconds = Threshold("p99 latency", "at most", Quantity(2, "s"))
    plan = replace(watched, alerts=("p99 latency",))
    with pytest.raises(ReleaseError, match="got the limit 2 s, needs it in ms"):
        alerts(plan, Gate((seconds,)))


def test_a_figure_has_the_limits_that_stand_under_its_name(
    watched: MonitoringPlan, objectives: Objectives
) -> None:
    limits = {figure.name: figure.thresholds for figure in figures(watched, objectives)}
    assert limits == {
        "success rate": (Threshold("success rate", "at least", Quantity(95, "%")),),
        "p95 latency": (Threshold("p95 latency", "at most", Quantity(800, "ms")),),
        "cache hit rate": (Threshold("cache hit rate", "at least", Quantity(40, "%")),),
        "errors": (),
        "cache size": (Threshold("cache size", "at most", Quantity(100)),),
    }


def test_without_objectives_figures_are_shown_and_alert_nobody(watched: MonitoringPlan) -> None:
    assert figures(watched, Objectives(Gate(()))) == watched.figures


@pytest.mark.parametrize(
    ("limit", "milliseconds"), [(Quantity(2, "s"), 2000), (Quantity(0.5, "min"), 30_000)]
)
def test_a_limit_in_another_unit_of_time_is_the_same_in_that_of_the_figure(
    limit: Quantity, milliseconds: float
) -> None:
    figure = Figure("analysis", Quantile("analysis_seconds", 0.95))
    expected = Threshold("analysis", "at most", Quantity(milliseconds, "ms"))
    assert in_unit(figure, Threshold("analysis", "at most", limit)) == expected


@pytest.mark.parametrize(
    ("reading", "limit", "needs"),
    [
        (Level("p95"), Quantity(800, "ms"), "got the limit 800 ms, needs it without a unit"),
        (Share(("a",), ("b",)), Quantity(0.4), "got the limit 0.4, needs it in %"),
        (Quantile("s", 0.9), Quantity(5, "%"), "5 %, needs it in s or in ms or in min"),
        (Rate("errors_total"), Quantity(5, "%"), "got the limit 5 %, needs it in /s"),
    ],
)
def test_a_limit_that_a_figure_cannot_have_is_refused(
    reading: Reading, limit: Quantity, needs: str
) -> None:
    plan = MonitoringPlan((Figure("p95 latency", reading),))
    canary = Gate((Threshold("p95 latency", "at most", limit),))
    with pytest.raises(ReleaseError, match=f"figure p95 latency: .*{needs}"):
        figures(plan, Objectives(canary))


def limited(own: float, relation: str = "at most") -> Objectives:
    """Errors of 5 % at most, and a limit of the success rate by itself."""
    canary = Gate((Threshold("error rate", "at most", Quantity(5, "%")),))
    return Objectives(canary, Gate((Threshold("success rate", relation, Quantity(own, "%")),)))


def test_two_different_limits_of_one_figure_are_refused(watched: MonitoringPlan) -> None:
    message = "figure success rate: got at least 97 % and 95 %, needs one of them"
    with pytest.raises(ReleaseError, match=message):
        figures(watched, limited(97, "at least"))


@pytest.mark.parametrize(
    ("objectives", "told"),
    [
        (limited(95, "at least"), ["at least 95 %"]),
        (limited(99.5), ["at most 99.5 %", "at least 95 %"]),
    ],
)
def test_the_same_limit_twice_is_one_and_two_sides_are_two(
    watched: MonitoringPlan, objectives: Objectives, told: list[str]
) -> None:
    found = figures(watched, objectives)[0].thresholds
    assert [f"{one.relation} {one.limit}" for one in found] == told
