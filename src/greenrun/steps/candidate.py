"""Sentences about the candidate as the platform runs it."""

from pytest_bdd import then, when

from greenrun.checks import logs, service
from greenrun.release.release import Release
from greenrun.steps.tables import Table, column


@when("the candidate is deployed")
def _(release: Release) -> None:
    release.deploy()


@then("it is ready within its time")
def _(release: Release) -> None:
    service.ready_time(release)


@then("the baseline serves every user")
def _(release: Release) -> None:
    service.served_by(release, release.baseline)


@then("the candidate serves every user")
def _(release: Release) -> None:
    service.served_by(release, release.candidate.name)


@then("the baseline is kept without traffic")
def _(release: Release) -> None:
    service.no_traffic(release, release.baseline)


@then("the candidate runs the image of this release")
def _(release: Release) -> None:
    service.candidate_image(release)


@then("the candidate has every setting that release.yaml names")
def _(release: Release) -> None:
    service.candidate_settings(release)


@then("no variable of the baseline is lost")
def _(release: Release) -> None:
    service.variables_kept(release)


@then("everybody may reach the service who should")
def _(release: Release) -> None:
    service.reachable(release)


@then("the candidate's log has the lines")
def _(release: Release, datatable: Table) -> None:
    logs.has_lines(release, column(datatable, "line"))


@then("the candidate's log has no errors")
def _(release: Release) -> None:
    logs.no_errors(release)


@then("the candidate's log has no errors but the allowed ones")
def _(release: Release, datatable: Table) -> None:
    logs.no_errors(release, logs.patterns(column(datatable, "pattern")))


@then("the candidate's log has stayed clean")
def _(release: Release) -> None:
    logs.stayed_clean(release)


@then("the candidate's log has stayed clean but for the allowed errors")
def _(release: Release, datatable: Table) -> None:
    logs.stayed_clean(release, logs.patterns(column(datatable, "pattern")))
