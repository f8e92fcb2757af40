"""Sentences about those who watch the service after its release."""

import pytest
from pytest_bdd import then, when

from greenrun.checks import monitoring
from greenrun.model.objective import Gate
from greenrun.release.release import Release
from greenrun.reporting.monitoring import MonitoringTargets, Objectives, Publication


@pytest.fixture
def promised(objectives: Gate, own_objectives: Gate) -> Objectives:
    """Everything that a release is judged by, and watched by from then on."""
    return Objectives(objectives, own_objectives)


@when(
    "these objectives and the candidate's own are handed to those who watch the service",
    target_fixture="handed",
)
def _(release: Release, promised: Objectives, watchers: MonitoringTargets) -> Publication:
    return monitoring.handed_over(release, promised, watchers)


@then("every objective that alerts has its alert policy")
def _(published: Publication, watchers: MonitoringTargets) -> None:
    monitoring.every_alert_has_its_policy(published, watchers)


@then("scrape job, alert rules and dashboard are there")
def _(published: Publication) -> None:
    monitoring.files_stand(published)


@then("the candidate tells every metric that is watched")
def _(release: Release) -> None:
    monitoring.metrics_are_told(release)


@then("handing them over again changes nothing")
def _(release: Release, promised: Objectives, watchers: MonitoringTargets) -> None:
    monitoring.same_again(release, promised, watchers)
