"""Sentences about what the service counts of itself, and about its monitoring."""

from collections.abc import Sequence

import pytest
from pytest_bdd import given, parsers, then, when

from greenrun.checks.metrics import monitoring
from greenrun.checks.metrics import objectives as own
from greenrun.checks.metrics.checks import OwnMetrics
from greenrun.checks.metrics.objectives import FAMILIES, OBJECTIVES, RISES, FamilyPromise, Rise
from greenrun.model.objective import Gate, Threshold
from greenrun.plugin.gherkin import tables
from greenrun.plugin.gherkin.milestones import CANDIDATE, LOCK, needs
from greenrun.plugin.gherkin.step_binding import reads
from greenrun.release.release import Release
from greenrun.reporting.monitoring import MonitoringTargets, Objectives, Publication, figures_of


@pytest.fixture
def own_objectives(release: Release, request: pytest.FixtureRequest) -> Gate:
    """Those of the service's own figures, for whoever is at hand when another feature has them."""
    folder = tables.features_folder(request.config, request.path)
    stated = tables.tables(folder, "they meet these objectives")
    return own.limits(stated, figures_of(release.plan))


@pytest.fixture
def monitored_objectives(objectives: Gate, own_objectives: Gate) -> Objectives:
    """Everything that a release is judged by, and monitored by from then on."""
    return Objectives(objectives, own_objectives)


@given(parsers.parse('the candidate\'s metrics at "{path}"'), target_fixture="metrics")
@needs(CANDIDATE)
def _(release: Release, path: str) -> OwnMetrics:
    return OwnMetrics(release, release.candidate.url + path)


@given(parsers.parse('the service\'s metrics at "{path}"'), target_fixture="metrics")
@needs(CANDIDATE)
def _(release: Release, path: str) -> OwnMetrics:
    return OwnMetrics(release, release.service.url + path)


@then(parsers.parse("they have at least {fewest:d} families, among them"))
@reads(FAMILIES)
def _(metrics: OwnMetrics, fewest: int, datatable: Sequence[FamilyPromise]) -> None:
    metrics.have_families(fewest, datatable)


@then("these counters have risen since")
@reads(RISES)
def _(metrics: OwnMetrics, datatable: Sequence[Rise]) -> None:
    metrics.have_risen(datatable)


@then("they meet these objectives")
@reads(OBJECTIVES)
def _(release: Release, metrics: OwnMetrics, datatable: Sequence[Sequence[Threshold]]) -> None:
    metrics.keep(own.objectives(datatable, figures_of(release.plan)))


@then("they meet the canary's objectives")
def _(release: Release, metrics: OwnMetrics, objectives: Gate) -> None:
    metrics.keep(own.objectives_of_canary(release.plan, objectives))


@when(
    "these objectives and the candidate's own are published to monitoring",
    target_fixture="published",
)
@needs(LOCK)
def _(
    release: Release, monitored_objectives: Objectives, monitoring_targets: MonitoringTargets
) -> Publication:
    return monitoring.publish_objectives(release, monitored_objectives, monitoring_targets)


@then("every objective that alerts has its alert policy")
def _(published: Publication, monitoring_targets: MonitoringTargets) -> None:
    monitoring.every_alert_has_its_policy(published, monitoring_targets)


@then("scrape job, alert rules and dashboard exist")
def _(published: Publication) -> None:
    monitoring.files_exist(published)


@then("the candidate exposes every monitored metric")
@needs(CANDIDATE)
def _(release: Release) -> None:
    monitoring.metrics_are_exposed(release)


@then("publishing them again changes nothing")
@needs(LOCK)
def _(
    release: Release, monitored_objectives: Objectives, monitoring_targets: MonitoringTargets
) -> None:
    monitoring.publishes_nothing_new(release, monitored_objectives, monitoring_targets)
