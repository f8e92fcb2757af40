"""Who calls: the name that a caller goes by, for the time of its call."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

HEADER = "x-goog-authenticated-user-email"
"""Metadata of gRPC, a header of REST. A server that authenticates nobody believes what it says;
the name is that of the header by which Google's front ends tell services who calls."""

ANONYMOUS = "anonymous"

_caller: ContextVar[str] = ContextVar("caller", default=ANONYMOUS)


def caller() -> str:
    """The e-mail address that the call under way came with; `anonymous` where it had none."""
    return _caller.get()


@contextmanager
def calling(headers: Mapping[str, str]) -> Iterator[None]:
    """In here the caller is whom `headers`, their names in lower case, tell."""
    token = _caller.set(headers.get(HEADER) or ANONYMOUS)
    try:
        yield
    finally:
        _caller.reset(token)
