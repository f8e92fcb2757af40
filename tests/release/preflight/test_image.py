"""The engine is recent enough, and all that the image is built from is there."""

from dataclasses import replace

import pytest

from greenrun.release.preflight import image as image_checks
from greenrun.release.preflight.context import Context
from tests.conftest import World
from tests.fakes import IMAGE_ID, MANIFEST
from tests.release.preflight.conftest import Told


def test_what_a_build_lacks_is_told_line_by_line(
    told: Told, context: Context, world: World
) -> None:
    assert told(image_checks.sources_are_there) == []
    world.builder.lacking = ("Dockerfile: got no file x, needs one", "secret npm: got no file y")
    hint = "; hint: bring it, or correct `build` in release.yaml"
    assert told(image_checks.sources_are_there) == [
        f"{line}{hint}" for line in world.builder.lacking
    ]
    assert context.measured == ["Dockerfile: Dockerfile in ."] * 2


def test_an_image_that_was_built_elsewhere_is_there_or_in_its_registry(
    told: Told, context: Context, world: World
) -> None:
    def elsewhere(image: str) -> list[str]:
        build = replace(context.plan.build, image=image)
        return told(image_checks.sources_are_there, replace(context.plan, build=build))

    reference = f"registry.test/shop@{MANIFEST}"
    absent = (
        f"build.image: got no {reference} in its registry, needs an image for linux/amd64; "
        "hint: push it, or correct `build.image` in release.yaml"
    )
    assert elsewhere(reference) == [absent]
    world.registry.ids[MANIFEST] = IMAGE_ID
    assert elsewhere(reference) == []
    world.registry.held["registry.test/shop:stable"] = MANIFEST
    assert elsewhere("registry.test/shop:stable") == []
    measured = f"image: {reference}, not built here: it was built elsewhere"
    assert context.measured == [measured] * 3
    assert elsewhere(f"registry.test/shop@{IMAGE_ID}") == []


@pytest.mark.parametrize("number", ["20.10.24", "28.0.1", "26", "20.10"])
def test_a_recent_engine(told: Told, world: World, number: str) -> None:
    world.builder.number = number
    assert told(image_checks.engine_is_recent) == []


@pytest.mark.parametrize("number", ["19.03.15", "", "engine"])
def test_an_old_engine_or_one_of_no_number(told: Told, world: World, number: str) -> None:
    world.builder.number = number
    assert told(image_checks.engine_is_recent) == [
        f"container engine: got {number}, needs 20.10 or later; hint: upgrade the engine"
    ]
