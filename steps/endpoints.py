"""Sentences about what the service answers."""

from pytest_bdd import parsers, then, when

from greenrun.expectations import read_table
from greenrun.proofs import behaviour
from greenrun.proofs.behaviour import Analysis
from greenrun.release import Release
from steps.tables import Table, column


@then("the candidate answers")
def _(release: Release, datatable: Table) -> None:
    candidate = release.candidate
    behaviour.answers(release, candidate.url, candidate.name, read_table(datatable))


@then("the baseline answers")
def _(release: Release, datatable: Table) -> None:
    behaviour.baseline_survives(release, read_table(datatable))


@then("the service answers")
def _(release: Release, datatable: Table) -> None:
    url, candidate = release.service.url, release.candidate
    behaviour.answers(release, url, candidate.name, read_table(datatable))


@then(
    parsers.parse('"{path}" answers the session "{session}" otherwise than everybody'),
)
def _(release: Release, path: str, session: str) -> None:
    behaviour.session_is_apart(release, path, session)


@when("the candidate is asked twice to analyse the same text", target_fixture="analysis")
def _(release: Release) -> Analysis:
    return behaviour.analyse_twice(release)


@then(parsers.parse('the first answer is "{first}" and the second "{second}"'))
def _(analysis: Analysis, first: str, second: str) -> None:
    analysis.answered(first, second)


@then("these counters have moved")
def _(analysis: Analysis, datatable: Table) -> None:
    analysis.moved(column(datatable, "counter"))


@then(parsers.parse("its metrics have at least {fewest:d} families, among them"))
def _(release: Release, fewest: int, datatable: Table) -> None:
    behaviour.metric_families(release, fewest, column(datatable, "family"))


@then(parsers.parse('the candidate answers "{message}" on the WebSocket "{path}"'))
def _(release: Release, message: str, path: str) -> None:
    behaviour.converses(release, path, message)
