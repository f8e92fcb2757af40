"""How a message shows what was found: its beginning, as it can be written."""

import json

_LENGTH = 80
"""Characters of a value that a message shows."""


def shown(found: object) -> str:
    """The beginning of a value, as JSON writes it."""
    return beginning(json.dumps(found, ensure_ascii=False))


def beginning(text: str) -> str:
    """The beginning of a text."""
    whole = writable(text)
    return whole if len(whole) <= _LENGTH else f"{whole[: _LENGTH - 3]}..."


def writable(text: str) -> str:
    """The text, with a question mark for each half of a surrogate pair: UTF-8 has none."""
    return text.encode(errors="replace").decode()
