"""Reads JSON that others may have touched: what is not as it must be is told with its key."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from greenrun.model.text import beginning, shown, writable

T = TypeVar("T")

Read = Callable[[object, str], T]
"""Takes a value, and the key that it stands under. Raises ValueError: key, got X, needs Y."""


def document(written: str, key: str, read: Read[T]) -> T:
    """What a text says; `key` is what the whole of it goes by. Raises ValueError as readers do."""
    try:
        return read(_json(written, key), key)
    except RecursionError as error:
        raise _no_json(written, key) from error


def text(found: object, key: str) -> str:
    """A text that UTF-8 can write; it may be empty."""
    known = found if isinstance(found, str) else refuse(found, key, "a text")
    return known if known == writable(known) else refuse(found, key, "a text that UTF-8 can write")


def whole(found: object, key: str) -> int:
    """A whole number from 0."""
    if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
        return found
    return refuse(found, key, "a whole number from 0")


def percent(found: object, key: str) -> int:
    """A whole number from 0 to 100."""
    number = whole(found, key)
    return number if number <= 100 else refuse(found, key, "100 at most")


def flag(found: object, key: str) -> bool:
    """True or false."""
    return found if isinstance(found, bool) else refuse(found, key, "true or false")


def each(read: Read[T]) -> Read[tuple[T, ...]]:
    """A list, each entry of which `read` understands."""

    def read_all(found: object, key: str) -> tuple[T, ...]:
        entries = found if isinstance(found, list) else refuse(found, key, "a list")
        return tuple(read(entry, f"{key}.{place}") for place, entry in enumerate(entries))

    return read_all


def texts(found: object, key: str) -> dict[str, str]:
    """An object of texts, by names that are texts, too."""
    named = found if isinstance(found, dict) else refuse(found, key, "an object")
    return {
        text(name, key): text(value, f"{key}.{beginning(name)}") for name, value in named.items()
    }


def fields(found: object, key: str, reads: Mapping[str, Read[object]]) -> dict[str, Any]:
    """An object with these fields and no other, each as its reader understands it."""
    if not isinstance(found, dict):
        refuse(found, key, "an object")
    for name, value in found.items():
        if name not in reads:
            refuse(value, f"{key}.{beginning(name)}", f"no field but {', '.join(reads)}")
    if missing := [name for name in reads if name not in found]:
        raise ValueError(f"{key}.{missing[0]}: got nothing, needs it there")
    return {name: read(found[name], f"{key}.{name}") for name, read in reads.items()}


def refuse(found: object, key: str, needs: str) -> NoReturn:
    """Raise ValueError for a value that is not what it must be."""
    raise ValueError(f"{key}: got {shown(found)}, needs {needs}")


def _json(written: str, key: str) -> object:
    try:
        return json.loads(written)
    except ValueError as error:
        raise _no_json(written, key) from error


def _no_json(written: str, key: str) -> ValueError:
    return ValueError(f"{key}: got {beginning(repr(written))}, needs JSON")
