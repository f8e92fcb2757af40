"""The engine is recent enough, and all that the image is built from is there."""

import pytest

from greenrun.release.preflight import image
from greenrun.release.preflight.context import Context
from tests.conftest import World
from tests.release.preflight.conftest import Told


def test_what_a_build_lacks_is_told_line_by_line(
    told: Told, context: Context, world: World
) -> None:
    assert told(image.sources_are_there) == []
    world.builder.lacking = ("Dockerfile: got no file x, needs one", "secret npm: got no file y")
    hint = "; hint: bring it, or correct `build` in release.yaml"
    assert told(image.sources_are_there) == [f"{line}{hint}" for line in world.builder.lacking]
    assert context.measured == ["Dockerfile: Dockerfile in ."] * 2


@pytest.mark.parametrize("number", ["20.10.24", "28.0.1", "26", "20.10"])
def test_a_recent_engine(told: Told, world: World, number: str) -> None:
    world.builder.number = number
    assert told(image.engine_is_recent) == []


@pytest.mark.parametrize("number", ["19.03.15", "", "engine"])
def test_an_old_engine_or_one_of_no_number(told: Told, world: World, number: str) -> None:
    world.builder.number = number
    assert told(image.engine_is_recent) == [
        f"container engine: got {number}, needs 20.10 or later; hint: upgrade the engine"
    ]
