"""Sentences about what the service answers."""

from collections.abc import Sequence

from pytest_bdd import parsers, then

from greenrun.checks.http import flow, verification
from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.checks.http.expectation import Expectation
from greenrun.checks.http.flow import FLOW, FlowRow
from greenrun.plugin.gherkin.milestones import BASELINE, CANDIDATE, needs
from greenrun.plugin.gherkin.step_binding import reads
from greenrun.release.release import Release


@then("the candidate answers")
@needs(CANDIDATE)
@reads(ENDPOINTS)
def _(release: Release, datatable: Sequence[Expectation]) -> None:
    candidate = release.candidate
    verification.answers(release, candidate.url, candidate.name, datatable)


@then("the baseline answers")
@needs(BASELINE)
@reads(ENDPOINTS)
def _(release: Release, datatable: Sequence[Expectation]) -> None:
    verification.baseline_survives(release, datatable)


@then("the service answers")
@needs(CANDIDATE)
@reads(ENDPOINTS)
def _(release: Release, datatable: Sequence[Expectation]) -> None:
    verification.answers(release, release.service.url, release.candidate.name, datatable)


@then("the candidate answers in turn")
@needs(CANDIDATE)
@reads(FLOW)
def _(release: Release, datatable: Sequence[FlowRow]) -> None:
    flow.is_answered(release, release.candidate.url, release.candidate.name, datatable)


@then("the service answers in turn")
@needs(CANDIDATE)
@reads(FLOW)
def _(release: Release, datatable: Sequence[FlowRow]) -> None:
    flow.is_answered(release, release.service.url, release.candidate.name, datatable)


@then(parsers.parse('the candidate answers "{message}" on the WebSocket "{path}"'))
@needs(CANDIDATE)
def _(release: Release, message: str, path: str) -> None:
    verification.converses(release, path, message)


@then(parsers.parse('the WebSocket "{path}" opens to "{welcome}" and not to "{stranger}"'))
@needs(CANDIDATE)
def _(release: Release, path: str, welcome: str, stranger: str) -> None:
    verification.opens_only_to(release, path, welcome, stranger)
