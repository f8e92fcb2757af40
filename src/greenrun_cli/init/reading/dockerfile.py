"""The port that a Dockerfile tells of."""

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

from dockerfile_parse import DockerfileParser

from greenrun.model.text import UnreadableFile, read_text_file
from greenrun_cli.init.facts import Facts

_PLACE = re.compile(r"\$(?:\{(\w+)(?::?[-+][^}]*)?\}|(\w+))")
_PORT = re.compile(r"(\d{1,5})(?:/tcp)?")


def read(folder: Path, name: str, facts: Facts) -> None:
    """Take the port over from EXPOSE, or from ENV PORT, of the last stage."""
    try:
        contents = read_text_file(folder / name)
    except UnreadableFile as error:
        facts.skip(name, "the Dockerfile", str(error))
        return
    parser = DockerfileParser(fileobj=BytesIO(contents.encode()))
    variables: dict[str, str] = dict(parser.args) | dict(parser.envs)
    exposed = list(_exposed(parser.structure, variables, name, facts))
    if exposed:
        port, place = exposed[-1]
        facts.say("deploy.port", port, place)
        facts.has_exposed_port = facts.said["deploy.port"].value == port
    elif _PORT.fullmatch(variables.get("PORT", "")):
        facts.say("deploy.port", int(variables["PORT"]), f"{name}: ENV PORT")


def _exposed(
    structure: list[dict[str, object]], variables: Mapping[str, str], name: str, facts: Facts
) -> Iterator[tuple[int, str]]:
    stages = [at for at, it in enumerate(structure) if str(it["instruction"]).upper() == "FROM"]
    for it in structure[stages[-1] if stages else 0 :]:
        if str(it["instruction"]).upper() != "EXPOSE":
            continue
        place = f"{name}:{int(str(it['startline'])) + 1}"
        for word in str(it["value"]).split():
            port = _PLACE.sub(lambda found: variables.get(found[1] or found[2], found[0]), word)
            if said := _PORT.fullmatch(port):
                yield int(said[1]), place
            else:
                facts.skip(place, f"EXPOSE {word}", "needs the number of a TCP port")
