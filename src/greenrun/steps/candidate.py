"""Sentences about the candidate: its image, its migrations, and how the platform runs it."""

from collections.abc import Sequence

from pytest_bdd import then, when

from greenrun.checks import image, logs, release_state, service
from greenrun.checks.logs import LINES, PATTERNS, LinearPattern
from greenrun.plugin.gherkin.milestones import (
    BASELINE,
    CANDIDATE,
    IMAGE,
    LOCK,
    PUSHED,
    needs,
    reaches,
)
from greenrun.plugin.gherkin.step_binding import reads
from greenrun.release import prune
from greenrun.release.migrate import Migration
from greenrun.release.release import Release


@when("the image is built")
@reaches(IMAGE)
def _(release: Release) -> None:
    release.build_image()


@then("it is for the platform that release.yaml names")
@needs(IMAGE)
def _(release: Release) -> None:
    image.platform(release)


@then("the build finished within its time limit")
@needs(IMAGE)
def _(release: Release) -> None:
    image.build_time(release)


@then("the image stays within its size limit")
@needs(IMAGE)
def _(release: Release) -> None:
    image.size(release)


@then("the image contains no secret")
@needs(IMAGE)
def _(release: Release) -> None:
    image.no_secret(release)


@when("the rehearsed image is pushed")
@needs(IMAGE, LOCK)
@reaches(PUSHED)
def _(release: Release) -> None:
    release.push_image()


@then("the registry holds the rehearsed image, by its digest")
@needs(PUSHED)
def _(release: Release) -> None:
    image.held_by_registry(release)


@when("old images are removed from the registry")
@needs(LOCK)
def _(release: Release) -> None:
    prune.prune_images(release.plan, release.dependencies, release.guard)


@then("the images of baseline and candidate are still there")
@needs(BASELINE, CANDIDATE)
def _(release: Release) -> None:
    image.kept(release, *filter(None, (release.baseline, release.candidate.name)))


@when("the migrations of the image are applied", target_fixture="migrations")
@needs(LOCK, BASELINE, IMAGE, PUSHED)
def _(release: Release) -> tuple[Migration, ...]:
    return release.migrate()


@then("no migration is pending")
def _(migrations: tuple[Migration, ...]) -> None:
    release_state.none_pending(migrations)


@then("the data pass the image's own check")
def _(release: Release, migrations: tuple[Migration, ...]) -> None:
    release_state.data_checked(release.plan, migrations)


@when("the candidate is deployed")
@needs(LOCK, BASELINE, IMAGE, PUSHED)
@reaches(CANDIDATE)
def _(release: Release) -> None:
    release.deploy()


@then("it is ready within its time limit")
@needs(CANDIDATE)
def _(release: Release) -> None:
    service.ready_time(release)


@then("the baseline serves every user")
@needs(BASELINE)
def _(release: Release) -> None:
    service.served_by(release, release.baseline)


@then("the candidate serves every user")
@needs(CANDIDATE)
def _(release: Release) -> None:
    service.served_by(release, release.candidate.name)


@then("the baseline is kept without traffic")
@needs(BASELINE)
def _(release: Release) -> None:
    service.no_traffic(release, release.baseline)


@then("the candidate runs the image of this release")
@needs(CANDIDATE)
def _(release: Release) -> None:
    service.candidate_image(release)


@then("the candidate has every setting that release.yaml names")
@needs(CANDIDATE)
def _(release: Release) -> None:
    service.candidate_settings(release)


@then("no variable of the baseline is lost")
@needs(CANDIDATE)
def _(release: Release) -> None:
    service.variables_kept(release)


@then("the service is reachable by exactly those who should reach it")
def _(release: Release) -> None:
    service.reachable(release)


@then("the candidate's log has the lines")
@needs(CANDIDATE)
@reads(LINES)
def _(release: Release, datatable: Sequence[str]) -> None:
    logs.has_lines(release, datatable)


@then("the candidate's log has no errors")
@needs(CANDIDATE)
def _(release: Release) -> None:
    logs.no_errors(release)


@then("the candidate's log has no errors but the allowed ones")
@needs(CANDIDATE)
@reads(PATTERNS)
def _(release: Release, datatable: Sequence[LinearPattern]) -> None:
    logs.no_errors(release, datatable)


@then("no line of the candidate's log matches")
@reads(PATTERNS)
def _(release: Release, datatable: Sequence[LinearPattern]) -> None:
    logs.none_match(release, datatable)


@then("the candidate's log has stayed clean")
@needs(CANDIDATE)
def _(release: Release) -> None:
    logs.stayed_clean(release)


@then("the candidate's log has stayed clean but for the allowed errors")
@needs(CANDIDATE)
@reads(PATTERNS)
def _(release: Release, datatable: Sequence[LinearPattern]) -> None:
    logs.stayed_clean(release, datatable)
