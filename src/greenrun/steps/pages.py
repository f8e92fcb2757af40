"""Sentences about pages in a browser."""

from pytest_bdd import then

from greenrun.checks.pages import checks
from greenrun.checks.pages.table import read_pages
from greenrun.model.extras import BROWSER
from greenrun.release.release import Release
from greenrun.steps.tables import Table

EXTRA = BROWSER


@then("these pages open in a browser")
def _(release: Release, datatable: Table) -> None:
    checks.open_well(release, release.candidate.url, read_pages(datatable))


@then("these pages of the service open in a browser")
def _(release: Release, datatable: Table) -> None:
    checks.open_well(release, release.service.url, read_pages(datatable))
