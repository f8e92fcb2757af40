"""What must be true before anything moves."""

import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dockerfile_parse import DockerfileParser

from greenrun.domain.plan import Plan
from greenrun.domain.service import Service, baseline_of
from greenrun.errors import ReleaseError
from greenrun.ports import Vault

OLDEST_ENGINE = (20, 10)


def existing(service: Service | None, plan: Plan) -> Service:
    """The service; raises ReleaseError where it does not exist."""
    if service is None:
        raise ReleaseError(
            f"{plan.service} does not exist in {plan.place.parent}: there is no way back",
            hint="create it once with `gcloud run deploy`, then release with greenrun",
        )
    return service


def baseline(service: Service) -> str:
    """The revision that serves everybody; raises ReleaseError with every reason against it."""
    try:
        return baseline_of(service)
    except ValueError as error:
        raise ReleaseError(
            str(error), hint="bring the service to rest: all traffic to one named revision"
        ) from error


def engine_is_recent(number: str) -> bool:
    """True for a container engine of 20.10 or later (`number` as it tells it)."""
    digits = tuple(int(part) for part in re.findall(r"\d+", number)[:2])
    return digits >= OLDEST_ENGINE


def missing_secrets(plan: Plan, vault: Vault) -> tuple[str, ...]:
    """References to secret versions that cannot be read, as `NAME:VERSION for VARIABLE`."""
    return tuple(
        f"{reference} for {variable}"
        for variable, reference in plan.settings.secrets.items()
        if not vault.exists(reference.secret, reference.version)
    )


def dockerfile_doubts(plan: Plan, directory: Path) -> tuple[str, ...]:
    """Why an image of this Dockerfile would not listen where the platform sends requests."""
    path = directory / plan.build.dockerfile
    if not path.is_file():
        return (f"{plan.build.dockerfile} does not exist",)
    with path.open("rb") as file:
        instructions = DockerfileParser(fileobj=file).structure
    return tuple(_doubts(instructions, plan, directory / plan.build.context))


def _doubts(instructions: Sequence[Mapping[str, str]], plan: Plan, context: Path) -> Iterator[str]:
    values = [(found["instruction"].upper(), found["value"]) for found in instructions]
    exposed = {port for name, value in values if name == "EXPOSE" for port in value.split()}
    if exposed and str(plan.settings.port) not in exposed:
        yield f"EXPOSE: got {', '.join(sorted(exposed))}, needs {plan.settings.port}"
    if not {"CMD", "ENTRYPOINT"} & {name for name, _ in values}:
        yield "got neither CMD nor ENTRYPOINT, needs the command that starts the server"
    for name, value in values:
        if name in {"COPY", "ADD"} and "--from" not in value:
            yield from (f"{name} {source}: no such file" for source in _missing(value, context))


def _missing(value: str, context: Path) -> Iterator[str]:
    *sources, _ = [word for word in value.split() if not word.startswith("--")]
    for source in sources:
        remote = "://" in source
        found = glob.glob(source.lstrip("/"), root_dir=context)  # noqa: PTH207 - Path refuses "."
        if not remote and not found:
            yield source
