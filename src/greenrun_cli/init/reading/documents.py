"""Documents in which people keep a deployment: scripts, Markdown, GitHub workflows, Cloud Build."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from markdown_it import MarkdownIt
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from greenrun.model.text import UnreadableFile, read_text_file
from greenrun_cli.init.reading import shell
from greenrun_cli.init.reading.shell import Command, Comment, filled

_SHELLS = frozenset({"", "bash", "sh", "shell", "zsh", "console", "terminal", "shell-session"})
_LARGEST = 1_000_000
_DEPLOYS = re.compile(r"google-github-actions/deploy-cloudrun@")
_BUILDS = re.compile(r"docker/build-push-action@")
_FIELDS = {"project_id": "project", "env_vars_file": "env-vars-file"}
_LISTS = {"env_vars": "set-env-vars", "secrets": "update-secrets"}

Passage = Command | Comment


def read(path: Path) -> Iterator[Passage]:
    """Yield what a document says to do, in its order.

    Raises UnreadableFile for what is no text, or no YAML where it should be.
    """
    text = read_text_file(path, at_most=_LARGEST).replace("\r\n", "\n")
    suffix = path.suffix.lower()
    if suffix in {".md", ".markdown"}:
        yield from _markdown(text)
    elif suffix in {".yaml", ".yml"}:
        yield from _yaml(text)
    else:
        yield from shell.read(text)


def _markdown(text: str) -> Iterator[Passage]:
    """Every block of shell; variables hold from one to the next, and JSON below is its answer."""
    variables: dict[str, str] = {}
    for token in MarkdownIt("commonmark").parse(text):
        if token.type not in {"fence", "code_block"} or token.map is None:
            continue
        language = token.info.strip().split(" ")[0].lower()
        first = token.map[0] + (2 if token.type == "fence" else 1)
        if language in _SHELLS:
            yield from shell.read(token.content, first, variables)
        elif language == "json":
            yield Comment(" ".join(token.content.split()), first)


def _yaml(text: str) -> Iterator[Passage]:
    try:
        found = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise UnreadableFile(str(error.problem), "YAML", line) from error
    except (YAMLError, ValueError) as error:
        raise UnreadableFile("what is no YAML", "YAML") from error
    if isinstance(found, dict) and isinstance(found.get("jobs"), dict):
        yield from _workflow(found)
    elif isinstance(found, dict) and isinstance(found.get("steps"), list):
        yield from _cloud_build(found)
    else:
        raise UnreadableFile(
            "YAML with neither jobs nor steps", "a GitHub workflow or a cloudbuild.yaml"
        )


def _workflow(workflow: Mapping[str, Any]) -> Iterator[Passage]:
    shared = _variables(workflow.get("env"), {})
    for job in workflow["jobs"].values():
        if not isinstance(job, dict):
            continue
        of_job = _variables(job.get("env"), shared)
        for step in job.get("steps") or ():
            if isinstance(step, dict):
                yield from _step(step, _variables(step.get("env"), of_job))


def _step(step: Any, variables: dict[str, str]) -> Iterator[Passage]:  # noqa: ANN401 - ruamel's mapping
    used, given = str(step.get("uses", "")), step.get("with")
    if isinstance(step.get("run"), str):
        yield from shell.read(step["run"], _line_of(step, "run"), variables)
    elif isinstance(given, dict) and _DEPLOYS.match(used):
        words = ("gcloud", "run", "deploy", *_deployed(given, variables))
        yield Command(words, _line_of(step, "with"))
    elif isinstance(given, dict) and _BUILDS.match(used):
        yield Command(tuple(_built(given, variables)), _line_of(step, "with"))


def _deployed(given: Mapping[str, Any], variables: Mapping[str, str]) -> Iterator[str]:
    """The words of `gcloud run deploy` that the action gives.

    Source: https://github.com/google-github-actions/deploy-cloudrun#inputs
    """
    for key, value in given.items():
        text = filled(_text(value), variables)
        if key == "service":
            yield text
        elif key == "flags":
            for command in shell.read(f"x {text}"):
                yield from command.words[1:] if isinstance(command, Command) else ()
        elif key == "no_traffic":
            yield "--no-traffic"
        elif key in _LISTS:
            entries = ",".join(re.split(r"[,\n]+", text.strip()))
            yield f"--{_LISTS[key]}={entries}"
        else:
            yield f"--{_FIELDS.get(key, key.replace('_', '-'))}={text}"


def _built(given: Mapping[str, Any], variables: Mapping[str, str]) -> Iterator[str]:
    yield from ("docker", "build")
    for tag in filled(_text(given.get("tags", "")), variables).replace(",", "\n").split():
        yield f"--tag={tag}"
    if "file" in given:
        yield f"--file={filled(_text(given['file']), variables)}"
    yield filled(_text(given.get("context", ".")), variables)


def _cloud_build(build: Mapping[str, Any]) -> Iterator[Passage]:
    variables = _variables(build.get("substitutions"), {})
    for step in build["steps"]:
        if not isinstance(step, dict):
            continue
        line = step.lc.line + 1 if hasattr(step, "lc") else 1
        words = [filled(_text(word), variables) for word in step.get("args") or ()]
        program = str(step.get("entrypoint") or PurePosixPath(str(step.get("name", ""))).name)
        if isinstance(step.get("script"), str):
            yield from shell.read(step["script"], _line_of(step, "script"), dict(variables))
        elif program in {"bash", "sh"} and words:
            yield from shell.read(words[-1], line, dict(variables))
        elif "sdk" in program and words:  # gcr.io/google.com/cloudsdktool/cloud-sdk
            yield Command(tuple(words), line)
        elif program.partition(":")[0] in {"docker", "gcloud"}:
            yield Command((program.partition(":")[0], *words), line)


def _variables(found: object, known: Mapping[str, str]) -> dict[str, str]:
    named = dict(known)
    for name, value in found.items() if isinstance(found, dict) else ():
        named[str(name)] = filled(_text(value), named)
    return named


def _text(value: object) -> str:
    """A scalar as people write it; what stands for more says nothing here."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool | int | float) else ""


def _line_of(step: Any, key: str) -> int:  # noqa: ANN401 - ruamel's mapping
    """Where the value of a key begins; a block of text begins on the line after."""
    below = isinstance(step[key], str) and "\n" in step[key]
    return int(step.lc.key(key)[0]) + (2 if below else 1)


def words_after(words: Sequence[str], *beginning: str) -> Sequence[str] | None:
    """What follows the beginning of a command; None for another command."""
    size = len(beginning)
    return words[size:] if tuple(words[:size]) == beginning else None
