"""From the objectives of the canary to what is watched."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.domain.gate import Gate, Quantity, Threshold
from greenrun.domain.plan import MonitoringPlan
from greenrun.domain.watching import Alert, Figure, Level
from greenrun.errors import ReleaseError
from greenrun.monitoring.objectives import alerts, figures

FIVE = timedelta(minutes=5)


def test_people_are_alerted_by_the_objectives_that_released_it(
    watched: MonitoringPlan, gate: Gate
) -> None:
    assert alerts(watched, gate) == (
        Alert(Threshold("error rate", "at most", Quantity(5, "%")), FIVE),
        Alert(Threshold("p99 latency", "at most", Quantity(2000, "ms")), FIVE),
    )
    assert [str(alert) for alert in alerts(watched, gate)] == [
        "error rate over 5 % for 5 min",
        "p99 latency over 2000 ms for 5 min",
    ]


def test_an_alert_without_an_objective_is_refused(watched: MonitoringPlan, gate: Gate) -> None:
    plan = replace(watched, alerts=("memory", "error rate"))
    with pytest.raises(
        ReleaseError,
        match="could not alert by memory: got objectives of error rate, p95 latency, p99 latency",
    ):
        alerts(plan, gate)


def test_an_objective_in_another_unit_is_refused(watched: MonitoringPlan) -> None:
    seconds = Threshold("p99 latency", "at most", Quantity(2, "s"))
    plan = replace(watched, alerts=("p99 latency",))
    with pytest.raises(ReleaseError, match="got the limit 2 s, needs it in ms"):
        alerts(plan, Gate((seconds,)))


def test_a_figure_without_limits_has_those_of_the_objective_of_its_name(
    watched: MonitoringPlan, gate: Gate
) -> None:
    limits = {figure.name: figure.thresholds for figure in figures(watched, gate)}
    assert limits == {
        "success rate": (Threshold("success rate", "at least", Quantity(95, "%")),),
        "p95 latency": (Threshold("p95 latency", "at most", Quantity(800, "ms")),),
        "cache hit rate": (Threshold("cache hit rate", "at least", Quantity(40, "%")),),
        "errors": (),
        "cache size": (Threshold("cache size", "at most", Quantity(100)),),
    }


def test_a_figure_of_its_own_limits_keeps_them(watched: MonitoringPlan, gate: Gate) -> None:
    strict = (Threshold("p95 latency", "at most", Quantity(300, "ms")),)
    (_, p95, *_) = watched.figures
    plan = replace(watched, figures=(replace(p95, thresholds=strict),))
    assert figures(plan, gate)[0].thresholds == strict


def test_an_objective_in_another_unit_is_no_limit_of_a_figure(
    watched: MonitoringPlan, gate: Gate
) -> None:
    plan = replace(watched, figures=(Figure("p95 latency", Level("p95")),))
    assert figures(plan, gate)[0].thresholds == ()
