"""Sentences about the way back."""

from pytest_bdd import then, when

from greenrun.proofs import service
from greenrun.release import Release


@when("every user is sent back to the baseline")
def _(release: Release) -> None:
    release.roll_back()


@then("users are served as before the release")
def _(release: Release) -> None:
    service.restored(release)
