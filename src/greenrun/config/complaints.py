"""Complaints about values that the schema refused, each with file, line and key."""

import copy
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from greenrun.config.document import Node, spelled
from greenrun.config.schema import REPLACED_KEYS, Release
from greenrun.config.values import Section
from greenrun.model.errors import Complaint

_LONGEST = 80
_MOST_NAMED = 20
_SECRETS = "update-secrets"
_CONTAINERS = ("deploy", "containers")
_PER_ENVIRONMENT = {"project", "region"}


def complaints_of(error: ValidationError, tree: Node, overlay: Node) -> Iterator[Complaint]:
    """One complaint per refusal.

    Args:
        error: what validating the tree against Release raised.
        tree: the release as an environment sees it.
        overlay: what the environment alone says; a place that nobody wrote is missed there.
    """
    for detail in error.errors(include_url=False):
        path = tuple(str(part) for part in detail["loc"] if part != "[key]")
        node, absent = tree.nearest(path)
        if not isinstance(node.value, dict | list):
            absent = ()  # text that stands for a mapping
        if not node.path and path[0] in _PER_ENVIRONMENT:
            node = overlay
        key = (*node.path, *(name.replace("_", "-") for name in absent))
        got, needs = _got(detail, path, absent=bool(absent)), _needs(detail, path)
        yield Complaint(node.file, node.line if node.path else 0, spelled(key), got, needs)


def without_refused(error: ValidationError, content: object) -> object:
    """Take what was refused out of the content of a file."""
    kept = copy.deepcopy(content)
    for detail in error.errors(include_url=False):
        part: Any = kept
        *above, last = (str(part) for part in detail["loc"] if part != "[key]")
        for name in above:
            part = part.get(name) if isinstance(part, dict) else None
        if isinstance(part, dict):
            part.pop(last, None)
    return kept


def unknown_key(known: Iterable[str], key: str) -> str:
    """Name the nearest known key first, then the others."""
    others = list(known)
    near = get_close_matches(key, others, n=1 if len(others) <= _MOST_NAMED else 3)
    rest = [name for name in others if name not in near]
    listed = f"one of: {', '.join(rest)}"
    named = listed if len(rest) <= _MOST_NAMED else "a key of docs/release-yaml.md"
    return ", or ".join(filter(None, (" or ".join(near), named if rest else "")))


def shown(value: object) -> str:
    """A value in one line, as YAML has it."""
    match value:
        case None:
            text = "nothing"
        case bool():
            text = str(value).lower()
        case dict():
            text = "a mapping" if value else "an empty mapping"
        case list():
            text = f"[{', '.join(map(shown, value))}]"
        case _:
            text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _got(detail: ErrorDetails, path: tuple[str, ...], *, absent: bool) -> str:
    if detail["type"] == "extra_forbidden":
        return "a key that was replaced" if path in REPLACED_KEYS else "an unknown key"
    if detail["loc"][-1] == "[key]":
        return "this name"
    if _SECRETS in path[:-1] and isinstance(detail["input"], str):
        return "other text (not shown, it may be the secret itself)"
    by_default = " (the default)" if absent and detail["input"] is not None else ""
    return shown(detail["input"]) + by_default


def _needs(detail: ErrorDetails, path: tuple[str, ...]) -> str:
    match detail["type"]:
        case "extra_forbidden":
            if path[:2] == _CONTAINERS and path[3:] in {("port",), ("use-http2",)}:
                return "to be left out: requests reach one container alone, at deploy.port"
            return REPLACED_KEYS.get(path) or unknown_key(_known_keys(path[:-1]), path[-1])
        case "value_error":
            return str(detail["ctx"]["error"])
        case "mapping_type" | "dict_type":
            return "a mapping of names"
        case _:
            return f"a mapping with keys such as {', '.join(_known_keys(path)[:3])}"


def _known_keys(path: tuple[str, ...]) -> list[str]:
    section: type[Section] = Release
    for name in path:
        section = _sections(section).get(name, section)
    return [str(field.alias) for field in section.model_fields.values()]


def _sections(section: type[Section]) -> dict[str, type[Section]]:
    fields = {str(field.alias): field.annotation for field in section.model_fields.values()}
    return {
        key: part
        for key, annotation in fields.items()
        for part in _parts(annotation)
        if isinstance(part, type) and issubclass(part, Section)
    }


def _parts(annotation: object) -> Iterator[object]:
    """The annotation, and everything that it is made of."""
    yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)
