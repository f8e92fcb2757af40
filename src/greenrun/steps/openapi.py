"""Sentences about what the service's OpenAPI document promises."""

from collections.abc import Sequence

from pytest_bdd import parsers, then

from greenrun.checks.http import openapi
from greenrun.checks.http.openapi import OPERATIONS
from greenrun.model.extras import OPENAPI
from greenrun.plugin.gherkin.milestones import CANDIDATE, needs
from greenrun.plugin.gherkin.step_binding import reads
from greenrun.release.release import Release

EXTRA = OPENAPI


@then(parsers.parse('every GET in its OpenAPI document "{path}" answers as documented'))
@needs(CANDIDATE)
def _(release: Release, path: str) -> None:
    openapi.keeps_its_document(release, path)


@then(parsers.parse('every GET in its OpenAPI document "{path}" answers {who} as documented'))
@needs(CANDIDATE)
def _(release: Release, path: str, who: str) -> None:
    openapi.keeps_its_document(release, path, identity=who)


@then(
    parsers.parse('every GET in its OpenAPI document "{path}" but these answers as documented'),
)
@needs(CANDIDATE)
@reads(OPERATIONS)
def _(release: Release, path: str, datatable: Sequence[str]) -> None:
    openapi.keeps_its_document(release, path, aside=datatable)
