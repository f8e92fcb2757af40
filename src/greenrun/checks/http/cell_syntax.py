"""What a cell lists: parts between semicolons, and fields `NAME = VALUE` among them."""

import re
from collections.abc import Iterator

from greenrun.checks.http import json_path

_PARTS = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^;])+')
"""What stands between semicolons, unless these stand in quotes."""


class Unmeant(ValueError):
    """A cell, or the part of it that `got` quotes, cannot be meant; the text is what it needs."""

    def __init__(self, needs: str, got: str = "") -> None:
        super().__init__(needs)
        self.got = got


def parts(cell: str) -> tuple[str, ...]:
    """The parts that are not empty, without the space around them."""
    return tuple(part for found in _PARTS.findall(cell) if (part := found.strip()))


def fields(cell: str, form: str = "`NAME = VALUE`, several between semicolons") -> dict[str, str]:
    """Values by name. Raises Unmeant, with the form that is needed, or for a name that is twice."""
    found: dict[str, str] = {}
    for name, value in _fields(cell, form):
        if name in found:
            raise Unmeant("each name once", got=f"{name} = {value}")
        found[name] = value
    return found


def value(text: str) -> object:
    """What JSON says; what is no JSON is text, as it is."""
    try:
        return json_path.read(text)
    except json_path.NoJson:
        return text


def _fields(cell: str, form: str) -> Iterator[tuple[str, str]]:
    for part in parts(cell):
        name, _, found = map(str.strip, part.partition(" = "))
        if not name or not found:
            raise Unmeant(form, got=part)
        yield name, found
