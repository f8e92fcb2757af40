"""Promises about headers and JSON bodies, as cells have them: `rows: 3 entries`."""

import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from greenrun.checks.http import documents
from greenrun.checks.http.cells import unquoted, value
from greenrun.model.text import HEADER_NAME_CHARACTER, beginning

HEADER_FORMS = "NAME = VALUE, NAME ~ PART, has NAME or no NAME, in quotes what has a semicolon"

_PRESENCE = re.compile(rf"(has|no) ({HEADER_NAME_CHARACTER}+)")
_VALUE = re.compile(rf"({HEADER_NAME_CHARACTER}+) ([=~]) (\S.*)")


@dataclass(frozen=True, slots=True)
class HeaderPromise:
    """One header, by its name in lower case. `sign` is `=`, `~`, `has` or `no`.

    Quotes around the value may be the cell's, or the header's own, as of an ETag.
    """

    text: str
    name: str
    sign: str
    value: str = ""

    def broken_by(self, headers: Mapping[str, str]) -> str:
        """What was found instead; empty where the promise is kept. Values keep their case."""
        found = headers.get(self.name)
        if self._kept_by(found):
            return ""
        return f"{self.text}: got {'no such header' if found is None else beginning(found)}"

    def _kept_by(self, found: str | None) -> bool:
        if found is None or self.sign == "no":
            return found is None and self.sign == "no"
        meant = {self.value, unquoted(self.value)}
        if self.sign == "~":
            return any(part in found for part in meant - {""})
        return self.sign == "has" or found in meant


def read_header_promise(text: str) -> HeaderPromise:
    """Raises ValueError where the text is none of HEADER_FORMS."""
    if said := _PRESENCE.fullmatch(text):
        return HeaderPromise(text, said[2].lower(), said[1])
    if said := _VALUE.fullmatch(text):
        return HeaderPromise(text, said[1].lower(), said[2], said[3])
    raise ValueError(text)


BODY_FORMS = (
    "PATH = VALUE, PATH != VALUE, PATH ~ TEXT, PATH >= NUMBER (or >, <=, <), PATH is a number "
    "(a whole number, a string, an array, an object, true or false, null), "
    "PATH: 3 entries (at least 3, at most 3), has PATH or no PATH"
)


@dataclass(frozen=True, slots=True)
class BodyPromise:
    """What is at one path of a document keeps it or not; an empty path is the whole document."""

    text: str
    path: str
    keeps: Callable[[object], bool] = field(repr=False, compare=False)
    tell: Callable[[object], str] = field(default=documents.shown, repr=False, compare=False)

    def broken_by(self, document: object) -> str:
        """What was found instead; empty where the promise is kept."""
        found = documents.at(document, self.path)
        if self.keeps(found):
            return ""
        if found is documents.ABSENT:
            return f"{self.text}: got nothing there, in {documents.shown(document)}"
        return f"{self.text}: got {self.tell(found)}"


def read_body_promise(text: str) -> BodyPromise:
    """Raises ValueError where the text is none of BODY_FORMS."""
    for pattern, make in _READERS.items():
        if said := re.fullmatch(pattern, text):
            return make(said)
    raise ValueError(text)


def _presence(said: re.Match[str]) -> BodyPromise:
    there = said["word"] == "has"
    return BodyPromise(
        said[0], said["path"], lambda found: (found is not documents.ABSENT) == there
    )


def _count(said: re.Match[str]) -> BodyPromise:
    compare, wanted = _BOUNDS[said["bound"] or ""], int(said["count"])

    def keeps(found: object) -> bool:
        return isinstance(found, list) and compare(len(found), wanted)

    return BodyPromise(said[0], said["path"] or "", keeps, _counted)


def _counted(found: object) -> str:
    return (
        str(len(found)) if isinstance(found, list) else f"{documents.shown(found)}, needs an array"
    )


def _kind(said: re.Match[str]) -> BodyPromise:
    return BodyPromise(said[0], said["path"] or "", _KINDS[said["kind"]])


def _equality(said: re.Match[str]) -> BodyPromise:
    equal, wanted = said["sign"] == "=", value(said["value"])

    def keeps(found: object) -> bool:
        return found is not documents.ABSENT and _means(said["value"], wanted, found) == equal

    return BodyPromise(said[0], said["path"], keeps)


def _means(text: str, wanted: object, found: object) -> bool:
    """A string may be written bare, also where it looks like a number; in quotes it is one."""
    return documents.same(found, wanted) or (isinstance(found, str) and found == text)


def _part(said: re.Match[str]) -> BodyPromise:
    meant = {said["value"], unquoted(said["value"])} - {""}

    def keeps(found: object) -> bool:
        return isinstance(found, str) and any(part in found for part in meant)

    return BodyPromise(said[0], said["path"], keeps)


def _comparison(said: re.Match[str]) -> BodyPromise:
    keeps = partial(_compares, _SIGNS[said["sign"]], json.loads(said["number"]))
    return BodyPromise(said[0], said["path"], keeps)


def _compares(compare: "Compare", wanted: float, found: object) -> bool:
    return documents.is_number(found) and compare(found, wanted)


Compare = Callable[[Any, Any], bool]
_SIGNS: Mapping[str, Compare] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_BOUNDS: Mapping[str, Compare] = {
    "": operator.eq,
    "at least ": operator.ge,
    "at most ": operator.le,
}
_KINDS: Mapping[str, Callable[[object], bool]] = {
    "a number": documents.is_number,
    "a whole number": documents.is_whole,
    "a string": lambda found: isinstance(found, str),
    "an array": lambda found: isinstance(found, list),
    "an object": lambda found: isinstance(found, dict),
    "true or false": lambda found: isinstance(found, bool),
    "null": lambda found: found is None,
}
_NUMBER = r"(?P<number>-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)"
_READERS: Mapping[str, Callable[[re.Match[str]], BodyPromise]] = {
    r"(?P<word>has|no) (?P<path>\S.*)": _presence,
    r"((?P<path>\S.*): )?(?P<bound>at least |at most )?(?P<count>\d+) entr(y|ies)": _count,
    rf"((?P<path>\S.*?) )?is (?P<kind>{'|'.join(_KINDS)})": _kind,
    r"(?P<path>\S.*?) (?P<sign>!?=) (?P<value>\S.*)": _equality,
    r"(?P<path>\S.*?) ~ (?P<value>\S.*)": _part,
    rf"(?P<path>\S.*?) (?P<sign>[<>]=?) {_NUMBER}": _comparison,
}
"""The first that fits."""
