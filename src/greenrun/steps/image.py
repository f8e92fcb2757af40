"""Sentences about the image."""

from pytest_bdd import then, when

from greenrun.checks import image
from greenrun.release import prune
from greenrun.release.release import Release


@when("the image is built")
def _(release: Release) -> None:
    release.build_image()


@then("it is for the platform that release.yaml names")
def _(release: Release) -> None:
    image.platform(release)


@then("the build kept within its time")
def _(release: Release) -> None:
    image.build_time(release)


@then("the image keeps within its size")
def _(release: Release) -> None:
    image.size(release)


@then("the image exposes the port that requests arrive on")
def _(release: Release) -> None:
    image.exposed_port(release)


@then("no secret stands in the image")
def _(release: Release) -> None:
    image.no_secret(release)


@when("the rehearsed image is pushed")
def _(release: Release) -> None:
    release.push_image()


@then("the registry holds the bytes that were rehearsed, by their digest")
def _(release: Release) -> None:
    image.held_by_registry(release)


@when("old images are removed from the registry")
def _(release: Release) -> None:
    prune.prune_images(release.plan, release.dependencies, release.guard)


@then("baseline and candidate still have theirs")
def _(release: Release) -> None:
    image.kept(release, release.baseline, release.candidate.name)
