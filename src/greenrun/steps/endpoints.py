"""Sentences about what the service answers."""

from pytest_bdd import parsers, then

from greenrun.checks.http import checks, flow, flow_table, read_table, websocket
from greenrun.release.release import Release
from greenrun.steps.tables import Table


@then("the candidate answers")
def _(release: Release, datatable: Table) -> None:
    candidate = release.candidate
    checks.answers(release, candidate.url, candidate.name, read_table(datatable))


@then("the baseline answers")
def _(release: Release, datatable: Table) -> None:
    checks.baseline_survives(release, read_table(datatable))


@then("the service answers")
def _(release: Release, datatable: Table) -> None:
    url, candidate = release.service.url, release.candidate
    checks.answers(release, url, candidate.name, read_table(datatable))


@then("the candidate answers in turn")
def _(release: Release, datatable: Table) -> None:
    candidate = release.candidate
    flow.is_answered(release, candidate.url, candidate.name, flow_table.read(datatable))


@then("the service answers in turn")
def _(release: Release, datatable: Table) -> None:
    url, candidate = release.service.url, release.candidate
    flow.is_answered(release, url, candidate.name, flow_table.read(datatable))


@then(parsers.parse('the candidate answers "{message}" on the WebSocket "{path}"'))
def _(release: Release, message: str, path: str) -> None:
    websocket.converses(release, path, message)


@then(parsers.parse('the WebSocket "{path}" opens to "{welcome}" and not to "{stranger}"'))
def _(release: Release, path: str, welcome: str, stranger: str) -> None:
    websocket.opens_only_to(release, path, welcome, stranger)
