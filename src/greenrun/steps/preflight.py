"""Sentences about what must be true before anything moves."""

from pytest_bdd import then, when

from greenrun.checks import before
from greenrun.model.objective import Gate
from greenrun.release.release import Release
from greenrun.steps.tables import Table


@then("all of this holds")
def _(release: Release, datatable: Table, objectives: Gate) -> None:
    before.all_holds(release, datatable, objectives)


@when("the service is read as it serves now")
def _(release: Release) -> None:
    release.find_baseline()


@then("one revision serves every user")
def _(release: Release) -> None:
    before.one_serves(release)


@then("it is the baseline of this release")
def _(release: Release) -> None:
    before.is_answering(release)
