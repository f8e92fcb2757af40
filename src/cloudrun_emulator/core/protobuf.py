"""Official messages, proto-plus and raw alike."""

from typing import Any, TypeVar

Message = Any  # a proto-plus message or a raw one: the official packages answer with both

Kind = TypeVar("Kind")


def raw(message: Message) -> Message:
    """The protobuf message inside a proto-plus one (a live view); a raw message is itself."""
    return type(message).pb(message) if hasattr(type(message), "pb") else message


def clone(message: Kind) -> Kind:
    """Return a copy that shares nothing with `message`."""
    copy = type(message)()
    raw(copy).CopyFrom(raw(message))
    return copy
