"""The container engine (P1.2)."""

import re
from collections.abc import Iterator

from greenrun.release.preflight.context import Doubt, Scene

_OLDEST = (20, 10)


def recent(scene: Scene) -> Iterator[Doubt]:
    """The container engine is 20.10 or later."""
    number = scene.dependencies.builder.engine()
    scene.measure("container engine", number)
    digits = tuple(int(part) for part in re.findall(r"\d+", number)[:2])
    if digits < _OLDEST:
        yield Doubt(f"container engine: got {number}, needs 20.10 or later", "upgrade the engine")
