"""The hand-over to the registry: what was rehearsed is what it holds."""

from dataclasses import replace

from greenrun.model.errors import GateClosed
from greenrun.model.image import Digest, Image
from greenrun.model.interfaces import Dependencies, Timeout
from greenrun.model.plan import Plan
from greenrun.release.coordination.guard import ChangeGuard

LATEST_TAG = "latest"


def push(image: Image, plan: Plan, dependencies: Dependencies, guard: ChangeGuard) -> Image:
    """Send the rehearsed image under its image tag, and move `latest` where the plan says so.

    Nothing is sent that the registry holds under that image tag, or that was built elsewhere.
    Returns the image with its manifest. Raises GateClosed where the registry then holds other
    bytes, CallFailed and DeadlineExceeded as Registry does.
    """
    if plan.build.image:
        return _held_elsewhere(image, dependencies, guard)
    also = (replace(image, tag=LATEST_TAG),) if plan.build.also_latest else ()
    handed_over = [_handed_over(each, plan, dependencies, guard) for each in (image, *also)]
    first = handed_over[0]
    _tell(first, [each.name for each in handed_over], dependencies)
    return first


def _held_elsewhere(image: Image, dependencies: Dependencies, guard: ChangeGuard) -> Image:
    """Nobody pushes here what was built elsewhere; its registry has to hold it."""
    manifest = holds(image, dependencies)
    if manifest is None:
        raise GateClosed(
            f"{image.reference}: got other bytes or none in its registry, needs {image.digest}, "
            "which was rehearsed",
            hint="push it again from where it was built, or correct `build.image`",
        )
    guard.note("push", image.reference, manifest=str(manifest), found="not needed: built elsewhere")
    dependencies.progress.report("not pushed: it was built elsewhere, and its registry holds it")
    _tell(image, [], dependencies)
    return image


def holds(image: Image, dependencies: Dependencies) -> Digest | None:
    """The manifest by which the registry holds these bytes under this image tag; None: it doesn't.

    An engine that keeps images as registries do knows an image by its manifest.
    """
    registry = dependencies.registry
    manifest = registry.digest(image.repository, image.tag) if image.tag else image.manifest
    if manifest is None:
        return None
    same = (manifest, registry.image_id(image.repository, manifest))
    return manifest if image.digest in same else None


def _handed_over(image: Image, plan: Plan, dependencies: Dependencies, guard: ChangeGuard) -> Image:
    name = image.name
    manifest = holds(image, dependencies)
    if manifest is not None:
        guard.note("push", name, manifest=str(manifest), found="held already")
        return replace(image, manifest=manifest)
    with guard.change("push", name, tag=image.tag, image_id=str(image.digest)):
        pushed = dependencies.registry.push(
            image, Timeout(plan.push_timeout, dependencies.progress.report)
        )
    manifest = holds(image, dependencies)
    if manifest is None or manifest != pushed:
        raise _other_bytes(image, pushed, dependencies)
    return replace(image, manifest=manifest)


def _other_bytes(image: Image, pushed: Digest, dependencies: Dependencies) -> GateClosed:
    held = dependencies.registry.digest(image.repository, image.tag)
    image_id = held and dependencies.registry.image_id(image.repository, held)
    return GateClosed(
        f"{image.name}: got image {image_id} by {held} in the registry, "
        f"needs {image.digest}, which was rehearsed, by {pushed}, which was pushed",
        hint="see who else pushes that image tag, then release again",
    )


def _tell(image: Image, names: list[str], dependencies: Dependencies) -> None:
    layers = (layer.size_bytes for layer in image.layers)
    facts = (
        f"image id: {image.digest}",
        f"manifest: {image.manifest}",
        f"deployed as: {image.reference}",
        *(f"image tag: {name}" for name in names),
        f"size: {_megabytes(image.size_bytes)} in {len(image.layers)} layers",
        f"largest layer: {_megabytes(max(layers, default=0))}",
    )
    dependencies.evidence.attach("the image in the registry", "\n".join(facts))


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 10**6:.1f} MB"
