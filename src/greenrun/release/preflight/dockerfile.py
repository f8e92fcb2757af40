"""Whether an image of the Dockerfile would listen where the platform sends requests (P1.4)."""

import glob
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from dockerfile_parse import DockerfileParser

from greenrun.release.preflight.context import Doubt, Scene

_Instruction = tuple[str, str]


def listens(scene: Scene) -> Iterator[Doubt]:
    """It names a command, the port of the platform, and files that exist."""
    build, directory = scene.plan.build, scene.source.directory
    path = directory / build.dockerfile
    if not path.is_file():
        yield Doubt(f"{build.dockerfile}: got no such file, needs what the image is built by")
        return
    instructions = _instructions(path)
    scene.measure("Dockerfile", f"{build.dockerfile}, {len(instructions)} instructions")
    for told in (
        *_ports(instructions, scene.plan.settings.port),
        *_commands(instructions),
        *_sources(instructions, directory / build.context),
    ):
        yield Doubt(f"{build.dockerfile}: {told}", f"correct {build.dockerfile}")


def _instructions(path: Path) -> Sequence[_Instruction]:
    with path.open("rb") as file:
        found = DockerfileParser(fileobj=file).structure
    return [(it["instruction"].upper(), it["value"]) for it in found]


def _ports(instructions: Sequence[_Instruction], wanted: int) -> Iterator[str]:
    named = [port for name, value in instructions if name == "EXPOSE" for port in value.split()]
    ports = {port.partition("/")[0] for port in named}
    if ports and str(wanted) not in ports and not any("$" in port for port in ports):
        yield f"EXPOSE: got {', '.join(sorted(ports))}, needs {wanted}"


def _commands(instructions: Sequence[_Instruction]) -> Iterator[str]:
    if not {"CMD", "ENTRYPOINT"} & {name for name, _ in instructions}:
        yield "got neither CMD nor ENTRYPOINT, needs the command that starts the server"


def _sources(instructions: Sequence[_Instruction], context: Path) -> Iterator[str]:
    for name, value in instructions:
        if name in {"COPY", "ADD"} and "--from" not in value:
            for source in _absent(value, context):
                yield f"{name} {source}: got no such file, needs it in the build context"


def _absent(value: str, context: Path) -> Iterator[str]:
    """Sources that are not there; remote ones, variables and heredocs are for the build to find."""
    *sources, _ = _words(value)
    for source in sources:
        elsewhere = any(mark in source for mark in ("://", "$", "<<"))
        found = glob.glob(source.lstrip("/"), root_dir=context)  # noqa: PTH207 - Path refuses "."
        if not elsewhere and not found:
            yield source


def _words(value: str) -> Sequence[str]:
    plain = " ".join(word for word in value.split() if not word.startswith("--"))
    words: list[str] = json.loads(plain) if plain.startswith("[") else plain.split()
    return words
