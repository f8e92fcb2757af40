"""JSON documents: what is at a path, and how a message shows it."""

import json
from typing import Final

from greenrun.model import text

ABSENT: Final = object()


class NoJson(ValueError):
    """A text is none; the message shows its beginning."""


def read(body: str) -> object:
    """The document in a body. Raises NoJson; NaN and Infinity are none either."""
    try:
        return json.loads(body, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise NoJson(f"got no JSON but {shown(body)}") from error


def at(document: object, path: str) -> object:
    """What is at a path of keys and places, as `rows.0.date`; ABSENT where nothing is.

    An empty path is the whole document.
    """
    for key in path.split(".") if path else ():
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        else:
            return ABSENT
    return document


def shown(found: object) -> str:
    """The beginning of a value, as JSON writes it; of ABSENT, that nothing is there."""
    return "nothing there" if found is ABSENT else text.shown(found)


def is_number(found: object) -> bool:
    """True and false are numbers in Python only."""
    return isinstance(found, int | float) and not isinstance(found, bool)


def is_whole(found: object) -> bool:
    """As JSON schema's integer: 3 and 3.0."""
    return is_number(found) and (isinstance(found, int) or float(str(found)).is_integer())


def same(one: object, other: object) -> bool:
    """Equal as JSON has it: 3 is 3.0, and true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _refused(constant: str) -> object:
    raise ValueError(constant)
