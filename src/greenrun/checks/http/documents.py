"""JSON documents: what is at a path, how a message shows it, and what schema it breaks."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from greenrun.checks.logs import LinearPattern
from greenrun.model import text
from greenrun.model.errors import ReleaseError

if TYPE_CHECKING:
    from jsonschema import SchemaError, ValidationError
    from jsonschema.protocols import Validator
    from referencing import Resource


ABSENT: Final = object()


class NoJson(ValueError):
    """A text is none; the message shows its beginning."""


def read_json(body: str) -> object:
    """The document in a body. Raises NoJson; NaN and Infinity are none either."""
    try:
        return json.loads(body, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise NoJson(f"got no JSON but {shown(body)}") from error


def at(document: object, path: str) -> object:
    """What is at a path of keys and places, as `rows.0.date`; ABSENT where nothing is.

    An empty path is the whole document.
    """
    for key in path.split(".") if path else ():
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        else:
            return ABSENT
    return document


def shown(found: object) -> str:
    """The beginning of a value, as JSON writes it; of ABSENT, that nothing is there."""
    return "nothing there" if found is ABSENT else text.shown(found)


def is_number(found: object) -> bool:
    """True and false are numbers in Python only."""
    return isinstance(found, int | float) and not isinstance(found, bool)


def is_whole(found: object) -> bool:
    """As JSON schema's integer: 3 and 3.0."""
    return is_number(found) and (isinstance(found, int) or float(str(found)).is_integer())


def same(one: object, other: object) -> bool:
    """Equal as JSON has it: 3 is 3.0, and true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _refused(constant: str) -> object:
    raise ValueError(constant)


_FAULTS_TOLD = 5
"""Faults of one document that a message tells."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of a file; `format` is checked as far as the jsonschema library can by itself."""

    name: str
    validator: "Validator" = field(repr=False)

    def broken_by(self, document: object) -> tuple[str, ...]:
        """The first faults, each with its JSON path, what was found and what is needed.

        Raises:
            ReleaseError: the schema refers to something that is not there, or never ends.
        """
        from referencing.exceptions import Unresolvable  # noqa: PLC0415 - few tables have schemas

        try:
            faults = sorted(self.validator.iter_errors(cast("Any", document)), key=_depth)
        except Unresolvable as error:
            raise ReleaseError(
                f"could not judge by schema {self.name}: got a $ref to {error.ref!r}, "
                "needs a schema beside it"
            ) from error
        except RecursionError as error:
            raise ReleaseError(
                f"could not judge by schema {self.name}: got a schema, or an answer, nested "
                "too deep, needs one that ends"
            ) from error
        told = dict.fromkeys(f"schema {self.name}: {_line(fault)}" for fault in faults)
        return tuple(told)[:_FAULTS_TOLD]


def read_schema(directory: Path, name: str) -> Schema:
    """The schema in a file of a directory; a `$ref` may name other files beside it.

    Raises:
        ReleaseError: there is no such file, it is no JSON, or no schema.
    """
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - few tables have schemas
    from jsonschema.validators import extend, validator_for  # noqa: PLC0415 - likewise
    from referencing import Registry  # noqa: PLC0415 - likewise

    path = directory / name
    contents = _contents(path)
    kind = validator_for(contents, default=Draft202012Validator)
    try:
        kind.check_schema(contents)
    except SchemaError as error:
        raise ReleaseError(f"could not use schema {path}: at {_line(error)}") from error
    except RecursionError as error:
        raise ReleaseError(f"could not use schema {path}: nested too deep") from error
    kind = extend(kind, {"pattern": _pattern})  # type: ignore[no-untyped-call] # bare in the package
    registry: Registry[Any] = Registry(
        retrieve=lambda uri: _beside(path, uri)  # type: ignore[call-arg] # attrs is not seen
    )
    return Schema(name, kind(contents, registry=registry, format_checker=kind.FORMAT_CHECKER))


def _pattern(
    validator: "Validator", pattern: str, found: object, schema: object
) -> "Iterator[ValidationError]":
    """Judge by `pattern`: in linear time, but where it has what RE2 has not."""
    from jsonschema import Draft202012Validator, ValidationError  # noqa: PLC0415 - few tables have schemas

    try:
        linear = LinearPattern(pattern)
    except ValueError:
        keyword = Draft202012Validator.VALIDATORS["pattern"]
        yield from keyword(validator, pattern, found, schema) or ()
    else:
        if isinstance(found, str) and not linear.search(found):
            yield ValidationError(f"{found!r} does not match {pattern!r}")


def _contents(path: Path) -> dict[str, Any]:
    try:
        contents = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ReleaseError(
            f"could not read schema {path}: {error.strerror}",
            hint="name a file relative to the features, such as schemas/costs.json",
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReleaseError(f"could not read schema {path}: got no JSON: {error}") from error
    if not isinstance(contents, dict):
        raise ReleaseError(f"could not use schema {path}: got {shown(contents)}, needs an object")
    return contents


def _beside(path: Path, uri: str) -> "Resource[Any]":
    """Another file of the same folder; nothing is ever fetched from the network."""
    from referencing import Resource  # noqa: PLC0415 - few tables have schemas
    from referencing.exceptions import NoSuchResource  # noqa: PLC0415 - likewise
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415 - likewise

    neighbour = path.parent / uri
    if "://" in uri or not neighbour.is_file():
        raise NoSuchResource(ref=uri)  # type: ignore[call-arg] # attrs is not seen
    return Resource.from_contents(_contents(neighbour), default_specification=DRAFT202012)


def _depth(fault: "ValidationError") -> tuple[int, str]:
    return len(fault.absolute_path), fault.json_path


def _line(fault: "ValidationError | SchemaError") -> str:
    return f"{fault.json_path}: got {shown(fault.instance)}, needs {_rule(fault)}"


def _rule(fault: "ValidationError | SchemaError") -> str:
    """The rule that was broken, as the schema has it."""
    wanted = fault.validator_value
    if fault.validator == "required" and isinstance(wanted, Sequence):
        missing = [name for name in wanted if name not in fault.instance]  # type: ignore[operator] # an object
        return f"the keys {', '.join(missing)}"
    return f"{fault.validator} {shown(wanted)}"
