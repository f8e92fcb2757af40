"""Sentences about the way back, also where people ask for it."""

from pytest_bdd import then, when

from greenrun.checks import service
from greenrun.plugin.options import RunOptions
from greenrun.release import manual
from greenrun.release.release import Release


@when("every user is sent back", target_fixture="destination")
def _(release: Release, run_options: RunOptions, way_back_alone: bool) -> str:  # noqa: FBT001 - a fixture
    return manual.send_back(
        release, asked_for=way_back_alone, to=run_options.to, unlock=run_options.unlock
    )


@then("users are served as before the release")
def _(release: Release, destination: str) -> None:
    service.restored(release, destination)


@when("the candidate that was taken back is deleted", target_fixture="deleted")
def _(release: Release) -> str:
    return manual.remove_taken_back(release)


@then("no such revision is left")
def _(release: Release, deleted: str) -> None:
    service.gone(release, deleted)


@when("the service is scaled to zero")
def _(release: Release, run_options: RunOptions) -> None:
    manual.stop_every_instance(release, unlock=run_options.unlock)


@then("users are told that the service is unavailable")
def _(release: Release) -> None:
    service.unavailable(release)
