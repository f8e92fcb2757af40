"""The container engine, and a Dockerfile whose image listens where it should."""

import glob
import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

from greenrun.model.revision import USUAL_PORT
from greenrun.model.text import beginning, read_text_file
from greenrun.release.preflight.context import Context, Problem

_Instruction = tuple[str, str]

_OLDEST = (20, 10)


def engine_is_recent(context: Context) -> Iterator[Problem]:
    """The container engine is 20.10 or later."""
    number = context.dependencies.builder.engine()
    context.measure("container engine", number)
    digits = tuple(int(part) for part in re.findall(r"\d+", number)[:2])
    if digits < _OLDEST:
        yield Problem(f"container engine: got {number}, needs 20.10 or later", "upgrade the engine")


def listens(context: Context) -> Iterator[Problem]:
    """It names a command, the port of the platform, and files that exist."""
    build, directory = context.plan.build, context.source.directory
    try:
        instructions = _instructions(directory / build.dockerfile)
    except ValueError as error:
        yield Problem(f"{build.dockerfile}: {error}")
        return
    context.measure("Dockerfile", f"{build.dockerfile}, {len(instructions)} instructions")
    for told in (
        *_ports(instructions, context.plan.settings.port or USUAL_PORT),
        *_commands(instructions),
        *_sources(instructions, directory / build.context),
    ):
        yield Problem(f"{build.dockerfile}: {told}", f"correct {build.dockerfile}")


def _instructions(path: Path) -> Sequence[_Instruction]:
    """Raise ValueError, saying what was got and what is needed, for what is no Dockerfile."""
    if not path.exists():
        raise ValueError("got no such file, needs what the image is built by")
    from dockerfile_parse import DockerfileParser  # noqa: PLC0415 - nothing else of a run needs it

    contents = read_text_file(path)
    found = DockerfileParser(fileobj=BytesIO(contents.encode())).structure
    return [(it["instruction"].upper(), it["value"]) for it in found]


def _ports(instructions: Sequence[_Instruction], wanted: int) -> Iterator[str]:
    named = [port for name, value in instructions if name == "EXPOSE" for port in value.split()]
    ports = {port.partition("/")[0] for port in named}
    if ports and str(wanted) not in ports and not any("$" in port for port in ports):
        yield f"EXPOSE: got {', '.join(sorted(ports))}, needs {wanted}"


def _commands(instructions: Sequence[_Instruction]) -> Iterator[str]:
    if not {"CMD", "ENTRYPOINT"} & {name for name, _ in instructions}:
        yield "got neither CMD nor ENTRYPOINT, needs the command that starts the server"


def _sources(instructions: Sequence[_Instruction], folder: Path) -> Iterator[str]:
    for name, value in instructions:
        if name in {"COPY", "ADD"} and "--from" not in value:
            try:
                *sources, _ = _words(value)
            except ValueError:
                yield f"{name}: got {beginning(value) or 'nothing'}, needs sources and a target"
            else:
                for source in filter(partial(_is_absent, folder), sources):
                    yield f"{name} {source}: got no such file, needs it in the build context"


def _is_absent(folder: Path, source: str) -> bool:
    """Remote sources, variables and heredocs are for the build to find."""
    if any(mark in source for mark in ("://", "$", "<<")):
        return False
    return not glob.glob(source.lstrip("/"), root_dir=folder)  # noqa: PTH207 - Path refuses "."


def _words(value: str) -> Sequence[str]:
    """Raise ValueError for a list that is no JSON, or not of text."""
    plain = " ".join(word for word in value.split() if not word.startswith("--"))
    if not plain.startswith("["):
        return plain.split()
    try:
        words: object = json.loads(plain)
    except RecursionError as error:
        raise ValueError("lists in lists without end") from error
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("a list of something else than text")
    return words
