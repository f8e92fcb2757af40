"""From an HTTP request to the message that it stands for, by the http rules of the method.

Source: google/api/http.proto.
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from cloudrun_emulator.core.resource_names import invalid
from cloudrun_emulator.server.methods import HttpRule, MessageType

_VARIABLE = re.compile(r"{(?P<field>[^=}]+)(?:=(?P<pattern>[^}]+))?}")
_UNREADABLE = (
    json_format.ParseError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""The errors of json_format for a tree that is no message of its kind."""

_WILDCARD = re.compile(r"\*\*|\*")


@dataclass(frozen=True)
class Template:
    """The path of an http rule: `/v2/{name=projects/*/locations/*}/operations`."""

    text: str

    def match(self, path: str) -> dict[str, str] | None:
        """Field paths and their values; None when `path` is not of this shape."""
        match = self._expression.fullmatch(path)
        if match is None:
            return None
        return dict(zip(self._fields, map(unquote, match.groups()), strict=True))

    @cached_property
    def _fields(self) -> list[str]:
        return [variable["field"] for variable in _VARIABLE.finditer(self.text)]

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        literals = _VARIABLE.split(self.text)[::3]
        patterns = [match["pattern"] or "*" for match in _VARIABLE.finditer(self.text)]
        groups = [f"({_segments(pattern)})" for pattern in patterns] + [""]
        pairs = zip(literals, groups, strict=True)
        return re.compile("".join(re.escape(literal) + group for literal, group in pairs))


def _segments(pattern: str) -> str:
    """Match no colon: it would be a custom verb, such as `:getIamPolicy`."""
    return _WILDCARD.sub(lambda star: ".+" if star[0] == "**" else "[^/:]+", pattern)


def message(
    kind: MessageType,
    rule: HttpRule,
    path: dict[str, str],
    query: dict[str, list[str]],
    body: bytes,
) -> Any:  # noqa: ANN401 - any official message
    """Fill a `kind` from path, query and body; raise INVALID_ARGUMENT naming what is wrong."""
    pb = kind.pb() if hasattr(kind, "pb") else kind
    tree = _body(rule, body)
    for name, values in query.items():
        _set_field(tree, pb.DESCRIPTOR, name.split("."), values)
    for name, value in path.items():
        _set_field(tree, pb.DESCRIPTOR, name.split("."), [value])
    try:
        parsed = json_format.ParseDict(tree, pb())
    except _UNREADABLE as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    return kind(parsed) if hasattr(kind, "pb") else parsed


def _body(rule: HttpRule, body: bytes) -> dict[str, Any]:
    if rule.body is None or not body:
        return {}
    try:
        parsed = json.loads(body)
        json.dumps(parsed, ensure_ascii=False).encode()  # raises for half a character
    except (ValueError, RecursionError) as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(parsed, dict):
        raise invalid("Invalid JSON payload received. Expected an object.")
    return parsed if rule.body == "*" else {rule.body: parsed}


def _set_field(
    tree: dict[str, Any], descriptor: Descriptor, path: list[str], values: list[str]
) -> None:
    """Put `values` at `path`, under the names that the JSON form of the message has."""
    field = descriptor.fields_by_name.get(path[0]) or descriptor.fields_by_camelcase_name.get(
        path[0]
    )
    if field is None:
        raise invalid(f"Invalid request. Unknown name '{path[0]}': Cannot bind query parameter.")
    if path[1:] and field.message_type is not None:
        nested = tree.setdefault(_key_in_use(tree, field), {})
        if not isinstance(nested, dict):
            raise invalid(f"Invalid value at '{path[0]}': a message, and a field of it beside it.")
        _set_field(nested, field.message_type, path[1:], values)
    else:
        tree[_key_in_use(tree, field)] = _json_value(field, values)


def _key_in_use(tree: dict[str, Any], field: FieldDescriptor) -> str:
    """The key that the body already uses for this field, or its JSON name."""
    return field.name if field.name in tree else field.json_name


def _json_value(field: FieldDescriptor, values: list[str]) -> object:
    converted = [_scalar(field, value) for value in values]
    return converted if field.is_repeated else converted[-1]


def _scalar(field: FieldDescriptor, value: str) -> object:
    """The JSON reader takes numbers and enums as text, but not truth."""
    truths = {"true": True, "false": False}
    return truths.get(value, value) if field.cpp_type == field.CPPTYPE_BOOL else value
