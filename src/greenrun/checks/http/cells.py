"""What cells say: parts between semicolons, fields, places for values, and what a request sends."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from urllib.parse import quote
from uuid import uuid4

from greenrun.checks.http import documents
from greenrun.checks.table import Unmeant

_PARTS = re.compile(r'(?:(?<!\w)"(?:\\.|[^"\\])*"|[^;])+')
"""What stands between semicolons, unless these stand in quotes; after a letter or a digit, as in
`5"`, none begin."""


def parts(cell: str) -> tuple[str, ...]:
    """The parts that are not empty, without the space around them."""
    return tuple(part for found in _PARTS.findall(cell) if (part := found.strip()))


def fields(cell: str, form: str = "`NAME = VALUE`, several between semicolons") -> dict[str, str]:
    """Values by name. Raises Unmeant, with the form that is needed, or for a name that is twice."""
    found: dict[str, str] = {}
    for name, value in _pairs(cell, form):
        if name in found:
            raise Unmeant("each name once", got=f"{name} = {value}")
        found[name] = value
    return found


def value(text: str) -> object:
    """What JSON says; what is no JSON is text, as it is."""
    try:
        return documents.read_json(text)
    except documents.NoJson:
        return text


def unquoted(text: str) -> str:
    """The text that stands in quotes; what does not is text as it is."""
    found = value(text)
    return found if isinstance(found, str) else text


def _pairs(cell: str, form: str) -> Iterator[tuple[str, str]]:
    for part in parts(cell):
        name, _, found = map(str.strip, part.partition(" = "))
        if not name or not found:
            raise Unmeant(form, got=part)
        yield name, found


STARS = "********"

UNIQUE = "unique"
"""The name of a value that no other table has."""

_PLACE = re.compile(r"\{([a-z_]\w*)\}")
_PLAIN = re.compile(r"[^\s;\"]+")


def places(text: str) -> tuple[str, ...]:
    """The names that a text has places for."""
    return tuple(_PLACE.findall(text))


def places_in(template: object) -> frozenset[str]:
    """The names that the texts of a JSON document have places for; keys have none."""
    if isinstance(template, str):
        return frozenset(places(template))
    if not isinstance(template, dict | list):
        return frozenset()
    inner = template.values() if isinstance(template, dict) else template
    return frozenset(chain.from_iterable(map(places_in, inner)))


@dataclass
class Values:
    """What is known by name. Those that are secret never show."""

    known: dict[str, object] = field(default_factory=dict, repr=False)
    secret: set[str] = field(default_factory=set)

    @classmethod
    def of_a_table(cls) -> "Values":
        """What is known before anything was answered: one value that is new."""
        return cls({UNIQUE: uuid4().hex})

    def keep(self, name: str, value: object, *, secret: bool = False) -> None:
        """Know a value from now on; another of that name is forgotten."""
        self.known[name] = value
        if secret:
            self.secret.add(name)

    def in_text(self, text: str) -> str:
        """A text with every place filled."""
        return self._filled(text, written)

    def in_path(self, path: str) -> str:
        """A URL's path with every place filled, as one segment or one argument each."""
        return self._filled(path, lambda value: quote(written(value), safe=""))

    def in_promise(self, text: str) -> str:
        """A promise about JSON with every place filled; what could be misread stands in quotes."""
        return self._filled(text, _unmistakable)

    def in_document(self, template: object) -> object:
        """A JSON document; a string that is one place alone becomes the value, of its own type."""
        if isinstance(template, dict):
            return {key: self.in_document(value) for key, value in template.items()}
        if isinstance(template, list):
            return [self.in_document(value) for value in template]
        if not isinstance(template, str):
            return template
        alone = _PLACE.fullmatch(template)
        return self.known[alone[1]] if alone else self.in_text(template)

    def hide(self, text: str) -> str:
        """A text without any secret value."""
        for value in sorted(map(written, self._secrets()), key=len, reverse=True):
            for shape in (value, json.dumps(value)[1:-1], quote(value, safe="")):
                text = text.replace(shape, STARS) if shape else text
        return text

    def _secrets(self) -> list[object]:
        return [value for name, value in self.known.items() if name in self.secret]

    def _filled(self, text: str, write: Callable[[object], str]) -> str:
        return _PLACE.sub(lambda place: write(self.known[place[1]]), text)


def written(value: object) -> str:
    """A string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _unmistakable(value: object) -> str:
    plain = not isinstance(value, str) or _PLAIN.fullmatch(value)
    return written(value) if plain else json.dumps(value)


_FILE = re.compile(r"(\w+) as ([\w.-]+)(?= = |$)")
_FIELDS_FORM = "`NAME = VALUE`, several between semicolons, or files: `FIELD as FILE = TEXT`"
_FILES_FORM = "files alone, each as `FIELD as FILE = TEXT`"
_JSON_FORM = "JSON, with places in quotes, or `NAME = VALUE`"
_SENDABLE = "numbers that are finite, and text that UTF-8 can write"


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A JSON document, or files of a form (field to name and text); both empty: no body.

    Texts may have places for values, until it is `filled`.
    """

    json: object = field(default=None, repr=False)
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)

    @property
    def places(self) -> frozenset[str]:
        """The names that it has places for."""
        return places_in([self.json, *(text for _, text in self.files.values())])

    def filled(self, values: Values) -> "RequestBody":
        """The same with every place filled."""
        files = {name: (file, values.in_text(text)) for name, (file, text) in self.files.items()}
        return replace(self, json=values.in_document(self.json), files=files)

    def told(self) -> list[str]:
        """As the report has it, in lines."""
        files = (f"> {name}, file {file}: {text}" for name, (file, text) in self.files.items())
        return [*([f"> {written(self.json)}"] if self.json is not None else []), *files]


def read_request_body(cell: str) -> RequestBody:
    """Raises Unmeant for a cell that cannot be sent."""
    sending = RequestBody(files=_files(cell)) if _FILE.match(cell) else RequestBody(_document(cell))
    whole = [sending.json, *sending.files.values()]
    try:
        json.dumps(whole, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise Unmeant(_SENDABLE) from error
    return sending


def _document(cell: str) -> object:
    """JSON as it is, or an object of fields; a value that is no JSON is text."""
    if not cell:
        return None
    if cell[0] in "{[":
        return _json(cell)
    if found := {name: value(text) for name, text in fields(cell, _FIELDS_FORM).items()}:
        return found
    raise Unmeant(_FIELDS_FORM)


def _json(cell: str) -> object:
    try:
        return documents.read_json(cell)
    except documents.NoJson as error:
        raise Unmeant(_JSON_FORM) from error


def _files(cell: str) -> Mapping[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name, text in fields(cell, _FILES_FORM).items():
        said = _FILE.fullmatch(name)
        if said is None:
            raise Unmeant(_FILES_FORM, got=name)
        if said[1] in found:
            raise Unmeant("each field once", got=name)
        found[said[1]] = (said[2], unquoted(text))
    return found
