"""Sentences about what the service counts of itself."""

from pytest_bdd import given, parsers, then

from greenrun.proofs import metric_promises
from greenrun.proofs.metrics import OwnMetrics
from greenrun.release import Release
from steps.tables import Table


@given(parsers.parse('the candidate\'s metrics at "{path}"'), target_fixture="metrics")
def _(release: Release, path: str) -> OwnMetrics:
    return OwnMetrics(release, release.candidate.url + path)


@given(parsers.parse('the service\'s metrics at "{path}"'), target_fixture="metrics")
def _(release: Release, path: str) -> OwnMetrics:
    return OwnMetrics(release, release.service.url + path)


@then(parsers.parse("they have at least {fewest:d} families, among them"))
def _(metrics: OwnMetrics, fewest: int, datatable: Table) -> None:
    metrics.have_families(fewest, metric_promises.families(datatable))


@then("these counters have risen since")
def _(metrics: OwnMetrics, datatable: Table) -> None:
    metrics.have_risen(metric_promises.rises(datatable))


@then("they keep these objectives")
def _(metrics: OwnMetrics, datatable: Table) -> None:
    metrics.keep(metric_promises.objectives(datatable))
