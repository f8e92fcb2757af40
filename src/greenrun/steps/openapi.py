"""Sentences about what the service's OpenAPI document promises."""

from pytest_bdd import parsers, then

from greenrun.checks import openapi
from greenrun.model.extras import OPENAPI
from greenrun.release.release import Release
from greenrun.steps.tables import Table, column

EXTRA = OPENAPI


@then(parsers.parse('every GET of its OpenAPI document "{path}" answers as it promises'))
def _(release: Release, path: str) -> None:
    openapi.keeps_its_document(release, path)


@then(parsers.parse('every GET of its OpenAPI document "{path}" answers {who} as it promises'))
def _(release: Release, path: str, who: str) -> None:
    openapi.keeps_its_document(release, path, identity=who)


@then(
    parsers.parse('every GET of its OpenAPI document "{path}" but these answers as it promises'),
)
def _(release: Release, path: str, datatable: Table) -> None:
    openapi.keeps_its_document(release, path, aside=column(datatable, "operation"))
