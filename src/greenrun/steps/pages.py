"""Sentences about pages in a browser."""

from collections.abc import Sequence

from pytest_bdd import then

from greenrun.checks import pages
from greenrun.checks.pages import PAGES, Page
from greenrun.model.extras import BROWSER
from greenrun.plugin.gherkin.milestones import CANDIDATE, needs
from greenrun.plugin.gherkin.step_binding import reads
from greenrun.release.release import Release

EXTRA = BROWSER


@then("these pages open in a browser")
@needs(CANDIDATE)
@reads(PAGES)
def _(release: Release, datatable: Sequence[Page]) -> None:
    pages.open_well(release, release.candidate.url, datatable)


@then("these pages of the service open in a browser")
@needs(CANDIDATE)
@reads(PAGES)
def _(release: Release, datatable: Sequence[Page]) -> None:
    pages.open_well(release, release.service.url, datatable)
