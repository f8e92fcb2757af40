"""Sentences about what the service counts of itself."""

import pytest
from pytest_bdd import given, parsers, then

from greenrun.checks.metrics import objectives as promises
from greenrun.checks.metrics.checks import OwnMetrics
from greenrun.model.objective import Gate
from greenrun.plugin.gherkin import tables
from greenrun.release.release import Release
from greenrun.reporting.monitoring import figures_of
from greenrun.steps.tables import Table


@pytest.fixture
def own_objectives(release: Release, request: pytest.FixtureRequest) -> Gate:
    """Those of the service's own figures, for whoever is at hand when another feature has them."""
    stated = tables.tables(request.path.parent, "they keep these objectives")
    return promises.limits(stated, figures_of(release.plan))


@given(parsers.parse('the candidate\'s metrics at "{path}"'), target_fixture="metrics")
def _(release: Release, path: str) -> OwnMetrics:
    return OwnMetrics(release, release.candidate.url + path)


@given(parsers.parse('the service\'s metrics at "{path}"'), target_fixture="metrics")
def _(release: Release, path: str) -> OwnMetrics:
    return OwnMetrics(release, release.service.url + path)


@then(parsers.parse("they have at least {fewest:d} families, among them"))
def _(metrics: OwnMetrics, fewest: int, datatable: Table) -> None:
    metrics.have_families(fewest, promises.families(datatable))


@then("these counters have risen since")
def _(metrics: OwnMetrics, datatable: Table) -> None:
    metrics.have_risen(promises.rises(datatable))


@then("they keep these objectives")
def _(release: Release, metrics: OwnMetrics, datatable: Table) -> None:
    metrics.keep(promises.objectives(datatable, figures_of(release.plan)))


@then("they keep those of the canary")
def _(release: Release, metrics: OwnMetrics, objectives: Gate) -> None:
    metrics.keep(promises.objectives_of_canary(release.plan, objectives))
