"""YAML in which every value knows its line: version 1.2, core schema, no aliases, no tags."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from greenrun.model.errors import Complaint
from greenrun.model.text import UnreadableFile, read_text_file

Complain = Callable[[Complaint], None]
Scalar = str | int | float | bool | None

WHOLE_FILE = "whole file"
_DEEPEST = 20
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_NUMBER = 40
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGERS = {
    10: re.compile(r"[-+]?[0-9]+"),
    8: re.compile(r"0o[0-7]+"),
    16: re.compile(r"0x[0-9a-fA-F]+"),
}
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands. `plain` is its text where it was written without quotes."""

    file: str
    line: int
    path: tuple[str, ...]
    value: Scalar | dict[str, "Node"] | list["Node"]
    plain: str = ""

    @property
    def key(self) -> str:
        """The path as complaints name it: `environments.local.canary.min-duration`."""
        return spelled(self.path)

    @property
    def entries(self) -> "dict[str, Node]":
        """The entries of a mapping; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def inner(self) -> "dict[str, Node]":
        """The entries of a mapping, or the items of a list by their places."""
        items = self.value if isinstance(self.value, list) else []
        return self.entries or {str(place): item for place, item in enumerate(items)}

    @property
    def content(self) -> object:
        """The value without its places."""
        if isinstance(self.value, dict):
            return {name: entry.content for name, entry in self.value.items()}
        if isinstance(self.value, list):
            return [item.content for item in self.value]
        return self.value

    def nearest(self, path: Sequence[str]) -> "tuple[Node, tuple[str, ...]]":
        """The last node on a path below this one, and the keys that were not written.

        The places of a list are its keys: `0` is the first.
        """
        node, absent = self, list(path)
        while absent and absent[0] in (inner := node.inner):
            node = inner[absent.pop(0)]
        return node, tuple(absent)

    def overlaid(self, other: "Node") -> "Node":
        """This one with the other's entries over its own, deeply; whatever else is replaced."""
        if not isinstance(self.value, dict) or not isinstance(other.value, dict):
            return other
        over = {
            name: self.value[name].overlaid(entry) if name in self.value else entry
            for name, entry in other.value.items()
        }
        return replace(self, value={**self.value, **over})

    def complaint(self, *, got: str, needs: str) -> Complaint:
        """Make a complaint about this value, at its line."""
        return Complaint(self.file, self.line, self.key, got, needs)


def spelled(path: Iterable[str]) -> str:
    """A path in one line, whatever its keys hold."""
    shown = (name if name.isprintable() and name else repr(name) for name in path)
    return ".".join(name if len(name) <= 60 else f"{name[:57]}..." for name in shown) or WHOLE_FILE


def read_document(directory: Path, file: str, complain: Complain) -> Node | None:
    """Read a file of one YAML document (1.2, core schema); None where it cannot be read.

    An empty file is a Node whose value is None.
    """
    try:
        return _parse(file, read_text_file(directory / file), complain)
    except UnreadableFile as error:
        absent = error.needs == "a file that can be read"
        needs = f"the file {file} beside release.yaml" if absent else error.needs
        complain(Complaint(file, error.line, WHOLE_FILE, error.got, needs))
    return None


def _parse(file: str, text: str, complain: Complain) -> Node | None:
    composer = _Composer(file, YAML(typ="safe", pure=True).parse(text), complain)
    try:
        return composer.document()
    except _Unreadable as error:
        complain(error.complaint)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        complain(_syntax(file, line, " ".join(str(error.problem).split())))
    except (YAMLError, ValueError, OverflowError) as error:  # bad characters and escapes
        complain(_syntax(file, composer.line, str(error).splitlines()[0]))
    return None


def _syntax(file: str, line: int, problem: str) -> Complaint:
    return Complaint(file, line, "syntax", f"text that is not YAML ({problem})", "YAML 1.2")


class _Unreadable(Exception):
    def __init__(self, complaint: Complaint) -> None:
        super().__init__(str(complaint))
        self.complaint = complaint


class _Composer:
    """Builds nodes from events. Aliases and tags are refused: a value says what it is."""

    def __init__(self, file: str, events: Iterable[Event], complain: Complain) -> None:
        self.line = 0
        self._file = file
        self._events = iter(events)
        self._complain = complain

    def document(self) -> Node:
        next(self._events)
        first = self._advance()
        if isinstance(first, StreamEndEvent):
            return Node(self._file, 0, (), None)
        root = self._node(self._advance(), (), self.line)
        self._advance()
        if isinstance(self._advance(), DocumentStartEvent):
            self._refuse((), "a second document after ---", "one document")
        return root

    def _advance(self) -> Event:
        event = next(self._events)
        if event.start_mark is not None:
            self.line = event.start_mark.line + 1
        if isinstance(event, ScalarEvent) and _SURROGATE.search(event.value):
            self._refuse((), "half a character (a surrogate)", "whole characters")
        return event

    def _refuse(self, path: tuple[str, ...], got: str, needs: str) -> NoReturn:
        raise _Unreadable(Complaint(self._file, self.line, spelled(path), got, needs))

    def _node(self, event: Event, path: tuple[str, ...], line: int) -> Node:
        if len(path) > _DEEPEST:
            self._refuse(path[:1], "values nested too deep", f"at most {_DEEPEST} levels")
        match event:
            case AliasEvent():
                self._refuse(path, f"the alias *{event.anchor}", "the value itself, written out")
            case ScalarEvent() | MappingStartEvent() | SequenceStartEvent() if event.tag:
                self._refuse(path, f"the tag {event.tag}", "the value without a tag")
            case MappingStartEvent():
                return Node(self._file, line, path, self._mapping(path))
            case SequenceStartEvent():
                return Node(self._file, line, path, list(self._items(path)))
            case ScalarEvent(style=None):
                return Node(self._file, line, path, _resolved(event.value), event.value)
            case ScalarEvent():
                return Node(self._file, line, path, event.value)
        raise AssertionError(event)

    def _mapping(self, path: tuple[str, ...]) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := self._advance(), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                self._refuse(path, "a key that is not text", "keys of one word")
            name, line = event.value, self.line
            entry = self._node(self._advance(), (*path, name), line)
            if name in entries:
                needs = f"it once (it is in line {entries[name].line} already)"
                self._complain(entry.complaint(got="the same key again", needs=needs))
            else:
                entries[name] = entry
        return entries

    def _items(self, path: tuple[str, ...]) -> Iterator[Node]:
        position = 0
        while not isinstance(event := self._advance(), SequenceEndEvent):
            position += 1
            yield self._node(event, (*path, f"[{position}]"), self.line)


def _resolved(text: str) -> Scalar:
    """Resolve a scalar without quotes by the core schema.

    `yes`, `on` and `12:30` are text and `010` is ten (YAML 1.2.2, section 10.3.2).
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    for radix, pattern in _INTEGERS.items():
        if pattern.fullmatch(text):
            return int(text, radix)
    if not _FLOAT.fullmatch(text):
        return text
    return float(text.replace(".", "", 1) if text[-1].isalpha() else text)
