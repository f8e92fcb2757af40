"""The port that a Dockerfile tells of; everything else in it is the engine's to read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from greenrun.model.text import UnreadableFile, read_text_file
from greenrun_cli.init.facts import Facts

_PLACE = re.compile(r"\$(?:\{(\w+)(?::?[-+][^}]*)?\}|(\w+))")
_PORT = re.compile(r"([1-9]\d{0,4})(?:/tcp)?")
_ASSIGNED = re.compile(r"(\w+)=(\"[^\"]*\"|\S*)")


@dataclass
class _Stage:
    """What an image is told of ports, from its FROM on."""

    variables: dict[str, str] = field(default_factory=dict)
    exposed: list[tuple[str, int]] = field(default_factory=list)


def read(folder: Path, name: str, facts: Facts) -> None:
    """Take the port over from EXPOSE, or from ENV PORT, of the last stage."""
    try:
        contents = read_text_file(folder / name)
    except UnreadableFile as error:
        facts.skip(name, "the Dockerfile", str(error))
        return
    stage = _last_stage(contents)
    for word, line in stage.exposed:
        port = _filled(word, stage)
        if said := _PORT.fullmatch(port):
            facts.say("deploy.port", int(said[1]), f"{name}:{line}")
        else:
            facts.skip(f"{name}:{line}", f"EXPOSE {word}", "needs the number of a TCP port")
    if not stage.exposed and (said := _PORT.fullmatch(stage.variables.get("PORT", ""))):
        facts.say("deploy.port", int(said[1]), f"{name}: ENV PORT")


def _last_stage(contents: str) -> _Stage:
    stage = _Stage()
    for instruction, value, line in _instructions(contents):
        if instruction == "FROM":
            stage = _Stage()
        elif instruction in {"ARG", "ENV"}:
            name, _, bare = value.partition(" ")
            assigned = _ASSIGNED.findall(value) or [(name, bare)]
            stage.variables |= {key: _filled(text.strip('"'), stage) for key, text in assigned}
        elif instruction == "EXPOSE":
            stage.exposed += [(word, line) for word in value.split()]
    return stage


def _filled(text: str, stage: _Stage) -> str:
    return _PLACE.sub(lambda found: stage.variables.get(found[1] or found[2], found[0]), text)


def _instructions(contents: str) -> Iterator[tuple[str, str, int]]:
    """Each instruction with its value, on one line, and the line where it begins."""
    begun, first = "", 0
    for number, line in enumerate(contents.splitlines(), 1):
        text = line.strip()
        if text.startswith("#") or (not begun and not text):
            continue
        first = first if begun else number
        begun += text.removesuffix("\\") + " "
        if not text.endswith("\\"):
            instruction, _, value = begun.strip().partition(" ")
            yield instruction.upper(), value.strip(), first
            begun = ""
