"""Official messages, proto-plus and raw alike."""

import re
from typing import Any, TypeVar

Message = Any  # a proto-plus message or a raw one: the official packages answer with both

Kind = TypeVar("Kind")


_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")


def well_formed(text: str) -> str:
    """Replace lone surrogates, which JSON can spell and UTF-8 cannot, by U+FFFD."""
    return _HALF_A_CHARACTER.sub("\ufffd", text)


def raw(message: Message) -> Message:
    """The protobuf message inside a proto-plus one (a live view); a raw message is itself."""
    return type(message).pb(message) if hasattr(type(message), "pb") else message


def clone(message: Kind) -> Kind:
    """Return a copy that shares nothing with `message`."""
    copy = type(message)()
    raw(copy).CopyFrom(raw(message))
    return copy
