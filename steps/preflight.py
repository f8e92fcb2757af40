"""Sentences about what must be true before anything moves."""

from pathlib import Path

from pytest_bdd import then, when

from greenrun.proofs import before
from greenrun.release import Release


@when("the service is read as it serves now")
def _(release: Release) -> None:
    release.find_baseline()


@then("one revision serves every user")
def _(release: Release) -> None:
    before.one_serves(release)


@then("it is the baseline of this release")
def _(release: Release) -> None:
    before.is_answering(release)


@then("the container engine is recent enough")
def _(release: Release) -> None:
    before.recent_engine(release)


@then("the Dockerfile makes an image that listens where requests arrive")
def _(release: Release, directory: Path) -> None:
    before.listening_dockerfile(release, directory)


@then("every secret that the service reads exists")
def _(release: Release) -> None:
    before.existing_secrets(release)
