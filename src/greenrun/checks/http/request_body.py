"""What a request sends, as a cell has it: fields or JSON (`text = "a"; limit = 3`), or files."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from greenrun.checks.http import json_path
from greenrun.checks.http.cell_syntax import Unmeant, fields, value
from greenrun.checks.http.variables import Values, places_in, written

_FILE = re.compile(r"(\w+) as ([\w.-]+)(?= = |$)")
_FIELDS = "`NAME = VALUE`, several between semicolons, or files: `FIELD as FILE = TEXT`"
_FILES = "files alone, each as `FIELD as FILE = TEXT`"
_JSON = "JSON, with places in quotes, or `NAME = VALUE`"
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


def read_sending(cell: str) -> RequestBody:
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
    if found := {name: value(text) for name, text in fields(cell, _FIELDS).items()}:
        return found
    raise Unmeant(_FIELDS)


def _json(cell: str) -> object:
    try:
        return json_path.read(cell)
    except json_path.NoJson as error:
        raise Unmeant(_JSON) from error


def _files(cell: str) -> Mapping[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name, text in fields(cell, _FILES).items():
        said = _FILE.fullmatch(name)
        if said is None:
            raise Unmeant(_FILES, got=name)
        if said[1] in found:
            raise Unmeant("each field once", got=name)
        unquoted = value(text)
        found[said[1]] = (said[2], unquoted if isinstance(unquoted, str) else text)
    return found
