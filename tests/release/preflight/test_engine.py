"""The container engine is recent enough."""

import pytest

from greenrun.release.preflight import engine
from tests.conftest import World
from tests.release.preflight.conftest import Told


@pytest.mark.parametrize("number", ["20.10.24", "20.10", "28.2.2"])
def test_recent_ones(told: Told, world: World, number: str) -> None:
    world.builder.number = number
    assert told(engine.recent) == []


@pytest.mark.parametrize("number", ["20.9", "19.03.1", ""])
def test_old_ones(told: Told, world: World, number: str) -> None:
    world.builder.number = number
    assert told(engine.recent) == [
        f"container engine: got {number}, needs 20.10 or later; hint: upgrade the engine"
    ]
