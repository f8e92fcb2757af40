"""The container engine, and all that an image is built from."""

import re
from collections.abc import Iterator

from greenrun.release.preflight.context import Context, Problem

_OLDEST = (20, 10)


def engine_is_recent(context: Context) -> Iterator[Problem]:
    """The container engine is 20.10 or later."""
    number = context.dependencies.builder.engine()
    context.measure("container engine", number)
    digits = tuple(int(part) for part in re.findall(r"\d+", number)[:2])
    if digits < _OLDEST:
        yield Problem(f"container engine: got {number}, needs 20.10 or later", "upgrade the engine")


def sources_are_there(context: Context) -> Iterator[Problem]:
    """Dockerfile, context and secrets are there; how they fit together is for the build to tell."""
    build = context.plan.build
    context.measure("Dockerfile", f"{build.dockerfile} in {build.context}")
    for lacking in context.dependencies.builder.lacks(build):
        yield Problem(lacking, "bring it, or correct `build` in release.yaml")
