"""The container engine, and all that an image is built from, or the image itself."""

import re
from collections.abc import Iterator

from greenrun.model.errors import ReleaseError
from greenrun.model.image import Digest
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import Plan
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
    if build.image:
        yield from _built_elsewhere(context)
        return
    context.measure("Dockerfile", f"{build.dockerfile} in {build.context}")
    for lacking in context.dependencies.builder.lacks(build):
        yield Problem(lacking, "bring it, or correct `build` in release.yaml")


def resolved(plan: Plan, dependencies: Dependencies) -> Digest:
    """The manifest of the plan's image. Raises ReleaseError where its image tag is unknown."""
    named, _, digest = plan.build.image.partition("@")
    if digest:
        return Digest(digest)
    tag = named.rpartition(":")[2]
    found = dependencies.registry.digest(plan.build.repository, tag)
    if found is None:
        raise ReleaseError(
            f"build.image: got no {named} in its registry, needs an image that is there",
            hint="push it, or correct `build.image` in release.yaml",
        )
    return found


def _built_elsewhere(context: Context) -> Iterator[Problem]:
    """What an image tag means is asked of the registry; what is here by its digest, of nobody."""
    plan, dependencies = context.plan, context.dependencies
    manifest = resolved(plan, dependencies)
    reference = f"{plan.build.repository}@{manifest}"
    context.measure("image", f"{reference}, not built here: it was built elsewhere")
    if dependencies.builder.image(reference):
        return
    if dependencies.registry.image_id(plan.build.repository, manifest) is None:
        yield Problem(
            f"build.image: got no {reference} in its registry, needs an image for linux/amd64",
            "push it, or correct `build.image` in release.yaml",
        )
