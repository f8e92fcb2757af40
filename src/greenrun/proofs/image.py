"""Proofs of the image: its platform, its budgets, and that it gives nothing away."""

import re
from collections.abc import Iterator

from greenrun.domain.gate import Quantity
from greenrun.domain.image import Image
from greenrun.errors import GateClosed
from greenrun.proofs import budget
from greenrun.release import Release

_SECRET_NAME = re.compile(r"(?i)(api_?key|token|secret|password|bypass|credential)")
_SECRET_VALUE = re.compile(
    r"AIza[\w-]{35}|sk-[\w-]{20,}|gh[pousr]_\w{36}|-----BEGIN [A-Z ]*PRIVATE"
)


def platform(release: Release) -> None:
    """The image is for the architecture that the plan names."""
    wanted = release.plan.build.platform.partition("/")[2]
    if release.image.architecture != wanted:
        raise GateClosed(f"{release.image}: got {release.image.architecture}, needs {wanted}")


def build_time(release: Release) -> None:
    """The build took no longer than its budget."""
    build, plan = release.build, release.plan.build
    budget.kept("build time", budget.seconds(build.took), budget.seconds(plan.within))


def size(release: Release) -> None:
    """The image is no larger than its budget; the largest layers are named when it is."""
    image, most = release.image, release.plan.build.size_budget_bytes
    layers = (
        f"{_megabytes(layer.size_bytes)} by {layer.instruction}" for layer in image.largest_layers()
    )
    hint = "the largest layers are " + ", ".join(layers)
    budget.kept("image size", _megabytes(image.size_bytes), _megabytes(most), hint)


def exposed_port(release: Release) -> None:
    """The image exposes the port that the platform sends requests to."""
    wanted = release.plan.settings.port
    if wanted not in release.image.exposed_ports:
        found = ", ".join(map(str, release.image.exposed_ports)) or "none"
        raise GateClosed(
            f"exposed ports of {release.image}: got {found}, needs {wanted}",
            hint=f"add `EXPOSE {wanted}` to the Dockerfile, or set `deploy.port`",
        )


def no_secret(release: Release) -> None:
    """Neither a variable nor an instruction of the image holds something like a secret."""
    found = sorted(set(_secret_places(release.image)))
    if found:
        raise GateClosed(
            f"the image holds what looks like a secret, in {', '.join(found)}",
            hint="give secrets to the service by `deploy.update-secrets`, never to the image",
        )


def _secret_places(image: Image) -> Iterator[str]:
    for name, value in image.variables.items():
        if value and (_SECRET_NAME.search(name) or _SECRET_VALUE.search(value)):
            yield f"variable {name}"
    for layer in image.layers:
        if _SECRET_VALUE.search(layer.instruction):
            yield f"instruction {layer.instruction.split()[0]}"


def _megabytes(size_bytes: int) -> Quantity:
    return Quantity(size_bytes / 10**6, "MB")
