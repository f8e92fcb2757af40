"""The image: its platform, its budgets, and that it gives nothing away."""

import re
from collections.abc import Iterator
from datetime import timedelta

from greenrun.model.errors import GateClosed
from greenrun.model.image import Image
from greenrun.model.interfaces import Scanner
from greenrun.model.objective import Quantity, Threshold, Verdict
from greenrun.release.preflight.rollback import is_held
from greenrun.release.push import holds
from greenrun.release.release import Release

_SECRET_NAME = re.compile(
    r"(?i)(.*_)?((api|access|private|secret)_?key|token|secret|password|passwd|bypass|credentials?)"
    r"\d*(_.*)?"
)
_NO_SECRET = re.compile(r"(?i)true|false|yes|no|on|off|none|[0-9.]*|~?/\S*|https?://[^@\s]*")
"""Switches, numbers, and where something is: what such a variable may say to everybody."""


def platform(release: Release) -> None:
    """The image is for the architecture that the plan names."""
    wanted = release.plan.build.platform.partition("/")[2]
    if release.image.architecture != wanted:
        raise GateClosed(f"{release.image}: got {release.image.architecture}, needs {wanted}")


def build_time(release: Release) -> None:
    """The build took no longer than its budget."""
    build, plan = release.build, release.plan.build
    check_budget("build time", in_seconds(build.took), in_seconds(plan.within))


def size(release: Release) -> None:
    """The image is no larger than its budget; the largest layers are named when it is."""
    image, most = release.image, release.plan.build.size_budget_bytes
    layers = (
        f"{_megabytes(layer.size_bytes)} by {layer.brief}" for layer in image.largest_layers()
    )
    hint = "the largest layers are " + ", ".join(layers)
    check_budget("image size", _megabytes(image.size_bytes), _megabytes(most), hint)


def kept(release: Release, *revisions: str) -> None:
    """The registry still holds the images of these revisions, so that they can start again."""
    for name in revisions:
        revision = release.dependencies.platform.revision(name)
        if revision is None or not is_held(revision.image, release.dependencies.registry):
            found = revision.image if revision else "no such revision"
            raise GateClosed(f"image of {name}: got {found}, needs it in the registry")


def no_secret(release: Release) -> None:
    """Neither a variable nor an instruction of the image holds something like a secret."""
    found = sorted(set(_secret_places(release.image, release.dependencies.scanner)))
    if found:
        raise GateClosed(
            f"the image holds what looks like a secret, in {', '.join(found)}",
            hint="give secrets to the service by `deploy.update-secrets`, never to the image",
        )


def held_by_registry(release: Release) -> None:
    """The registry holds the bytes that were rehearsed, under the image tag and its manifest."""
    image = release.image
    if image.manifest is None:
        raise GateClosed(f"{image}: got no manifest, needs an image that was pushed")
    held = holds(image, release.dependencies)
    if held != image.manifest:
        raise GateClosed(
            f"{image.name}: got {held or 'other bytes, or none'} in the "
            f"registry, needs {image.manifest} with image {image.digest}"
        )


def _secret_places(image: Image, scanner: Scanner) -> Iterator[str]:
    for name, value in image.variables.items():
        place = f"variable {name}"
        named_so = _SECRET_NAME.fullmatch(name) and not _NO_SECRET.fullmatch(value)
        if value and (named_so or scanner.in_text(place, f"{name}={value}")):
            yield place
    for layer in image.layers:
        place = f"instruction {layer.instruction.partition(' ')[0]}"
        if scanner.in_text(place, layer.instruction):
            yield place


def _megabytes(size_bytes: int) -> Quantity:
    return Quantity(size_bytes / 10**6, "MB")


def check_budget(measure: str, measured: Quantity, budget: Quantity, hint: str = "") -> None:
    """Close the gate with the finding where the budget was not kept."""
    finding = Threshold(measure, "at most", budget).judge(measured)
    if finding.verdict is not Verdict.PASS:
        raise GateClosed(str(finding), hint=hint)


def in_seconds(duration: timedelta) -> Quantity:
    """A duration as budgets tell it."""
    return Quantity(duration.total_seconds(), "s")
