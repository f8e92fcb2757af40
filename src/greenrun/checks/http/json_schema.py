"""JSON schemas beside the features, and what breaks them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry, Resource
from referencing.exceptions import NoSuchResource, Unresolvable
from referencing.jsonschema import DRAFT202012

from greenrun.checks.http.json_path import shown
from greenrun.model.errors import ReleaseError

_TOLD = 5
"""Faults of one document that a message tells."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of a file; `format` is checked as far as the jsonschema library can by itself."""

    name: str
    validator: Validator = field(repr=False)

    def broken_by(self, document: object) -> tuple[str, ...]:
        """The first faults, each with its JSON path, what was found and what is needed.

        Raises:
            ReleaseError: the schema refers to something that is not there.
        """
        try:
            faults = sorted(self.validator.iter_errors(cast("Any", document)), key=_place)
        except Unresolvable as error:
            raise ReleaseError(
                f"could not judge by schema {self.name}: got a $ref to {error.ref!r}, "
                "needs a schema beside it"
            ) from error
        told = dict.fromkeys(f"schema {self.name}: {_told(fault)}" for fault in faults)
        return tuple(told)[:_TOLD]


def read_schema(directory: Path, name: str) -> Schema:
    """The schema in a file of a directory; a `$ref` may name other files beside it.

    Raises:
        ReleaseError: there is no such file, it is no JSON, or no schema.
    """
    path = directory / name
    contents = _contents(path)
    kind = validator_for(contents, default=Draft202012Validator)
    try:
        kind.check_schema(contents)
    except SchemaError as error:
        raise ReleaseError(f"could not use schema {path}: at {_told(error)}") from error
    registry: Registry[Any] = Registry(
        retrieve=lambda uri: _beside(path, uri)  # type: ignore[call-arg] # attrs is not seen
    )
    return Schema(name, kind(contents, registry=registry, format_checker=kind.FORMAT_CHECKER))


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
    neighbour = path.parent / uri
    if "://" in uri or not neighbour.is_file():
        raise NoSuchResource(ref=uri)  # type: ignore[call-arg] # attrs is not seen
    return Resource.from_contents(_contents(neighbour), default_specification=DRAFT202012)


def _place(fault: ValidationError) -> tuple[int, str]:
    return len(fault.absolute_path), fault.json_path


def _told(fault: ValidationError | SchemaError) -> str:
    return f"{fault.json_path}: got {shown(fault.instance)}, needs {_needs(fault)}"


def _needs(fault: ValidationError | SchemaError) -> str:
    """The rule that was broken, as the schema has it."""
    wanted = fault.validator_value
    if fault.validator == "required" and isinstance(wanted, Sequence):
        missing = [name for name in wanted if name not in fault.instance]  # type: ignore[operator] # an object
        return f"the keys {', '.join(missing)}"
    return f"{fault.validator} {shown(wanted)}"
