"""The limits of what HTTP carries: headers that can be sent, and an end of all that is read."""

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from greenrun.model.errors import CallFailed
from greenrun.model.text import HEADER_NAME_CHARACTER, beginning

MOST_BYTES = 10_000_000
"""Of one answer, or of one conversation: more would be no answer that a check can be about."""

_NAME = re.compile(f"{HEADER_NAME_CHARACTER}+")
_VALUE = re.compile(r"([!-~]([\t -~]*[!-~])?)?")
"""Source: RFC 9110, 5.5; what else it once allowed, servers read in ways of their own."""

_MOST_CODINGS = 3
_GZIP, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
_KINDS = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}
"""As zlib names them; some servers send `deflate` without zlib's own head."""


def carried(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the same headers. Raises CallFailed for one that cannot be sent, by its name alone.

    Clients differ in what they do with such a value, and some show it when they refuse it.
    """
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise CallFailed(
                f"could not send the header {beginning(name)!r}: got a name that HTTP does not "
                "carry, needs letters, digits and hyphens"
            )
        if not _VALUE.fullmatch(value):
            raise CallFailed(
                f"could not send the header {name}: got a value that HTTP does not carry, needs "
                "ASCII letters in one line, without blanks around them",
                hint="look at the secret that it is made of: an umlaut, or a line break at its end",
            )
    return headers


class EndlessAnswer(ValueError):
    """More than is read of anything."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        super().__init__(f"more than {most / 10**6:g} MB, needs an answer that ends before")


class DecodingError(ValueError):
    """A body that is not what its head says."""


def bounded(parts: Iterable[bytes], most: int = MOST_BYTES) -> Iterator[bytes]:
    """Yield the same parts. Raises EndlessAnswer where there is more."""
    size = 0
    for part in parts:
        size += len(part)
        if size > most:
            raise EndlessAnswer(most)
        yield part


def inflated(body: bytes, codings: str, most: int = MOST_BYTES) -> bytes:
    """Decode what the header `content-encoding` names; a coding that nobody knows stays.

    Raises EndlessAnswer where that is more, however it was packed, and DecodingError.
    """
    names = [name.strip().lower() for name in codings.split(",") if name.strip()]
    if len(names) > _MOST_CODINGS:
        raise DecodingError(f"content-encoding: got {len(names)}, needs at most {_MOST_CODINGS}")
    for name in reversed(names):
        if name not in _KINDS:
            return body
        body = _inflated(body, name, most)
    return body


def _inflated(body: bytes, name: str, most: int) -> bytes:
    for kind in _KINDS[name]:
        with suppress(zlib.error):
            plain = zlib.decompressobj(kind).decompress(body, most + 1)
            if len(plain) > most:
                raise EndlessAnswer(most)
            return plain
    raise DecodingError(f"content-encoding: got {name}, and a body that is none")
