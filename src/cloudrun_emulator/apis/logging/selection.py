"""Which log entries a filter of the Logging API selects."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from google.logging.type.log_severity_pb2 import LogSeverity
from google.protobuf.struct_pb2 import Struct

from cloudrun_emulator.apis.filters import Comparison, Predicate, compile_filter
from cloudrun_emulator.apis.logging.entries import RawEntry
from cloudrun_emulator.core.resource_names import invalid

Value = str | float | datetime | None


class _Field(NamedTuple):
    """How a field is read off an entry, and how a value to compare it with is read."""

    read: Callable[[RawEntry], Any]
    parse: Callable[[str], Value]


def entry_filter(text: str) -> Predicate[RawEntry]:
    """Raise INVALID_ARGUMENT naming what was not understood.

    As on Google: text is compared without regard to case; a comparison with a label or a payload
    field that an entry lacks never holds; a field of the entry itself has its default value.
    Source: https://cloud.google.com/logging/docs/view/logging-query-language
    """
    return compile_filter(text, _predicate)


def _predicate(comparison: Comparison) -> Predicate[RawEntry]:
    field = _field(comparison.field)
    if comparison.operator == ":":
        return _has(field, comparison)
    expected = _parsed(field, comparison)
    holds = _ORDER[comparison.operator]

    def predicate(entry: RawEntry) -> bool:
        actual, wanted = _comparable(field.read(entry), expected)
        return actual is not None and holds(actual, wanted)

    return predicate


def _comparable(actual: Any, expected: Value) -> tuple[Any, Any]:  # noqa: ANN401 - any JSON value
    """Both as the type of the actual one; None for what cannot be compared."""
    if isinstance(actual, bool):
        actual = str(actual)
    if isinstance(actual, str):
        return actual.casefold(), str(expected).casefold()
    if isinstance(actual, float) and isinstance(expected, str):
        number = _number_or_none(expected)
        return (None if number is None else actual), number
    return actual, expected


def _has(field: _Field, comparison: Comparison) -> Predicate[RawEntry]:
    """`field:"part"`, or `field:*` for being there at all."""
    if comparison.value == "*":
        return lambda entry: bool(field.read(entry))
    if field.parse is not str:
        raise invalid(f"The operator : needs a field of text: {comparison}")
    part = comparison.value.casefold()
    return lambda entry: part in str(field.read(entry) or "").casefold()


def _parsed(field: _Field, comparison: Comparison) -> Value:
    try:
        return field.parse(comparison.value)
    except ValueError:
        raise invalid(f"Not a value of {comparison.field}: {comparison}") from None


def _severity(text: str) -> float:
    name = text.upper()
    return float(LogSeverity.Value(name) if name in set(LogSeverity.keys()) else text)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _seconds(text: str) -> float:
    """Of a duration such as "0.25s"."""
    return float(text.removesuffix("s"))


def _number_or_none(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


_FIELDS: Mapping[str, _Field] = {
    "logName": _Field(operator.attrgetter("log_name"), str),
    "insertId": _Field(operator.attrgetter("insert_id"), str),
    "trace": _Field(operator.attrgetter("trace"), str),
    "severity": _Field(operator.attrgetter("severity"), _severity),
    "timestamp": _Field(lambda entry: entry.timestamp.ToDatetime(UTC), _time),
    "textPayload": _Field(operator.attrgetter("text_payload"), str),
    "resource.type": _Field(operator.attrgetter("resource.type"), str),
    "httpRequest.requestMethod": _Field(operator.attrgetter("http_request.request_method"), str),
    "httpRequest.requestUrl": _Field(operator.attrgetter("http_request.request_url"), str),
    "httpRequest.userAgent": _Field(operator.attrgetter("http_request.user_agent"), str),
    "httpRequest.status": _Field(operator.attrgetter("http_request.status"), float),
    "httpRequest.responseSize": _Field(operator.attrgetter("http_request.response_size"), float),
    "httpRequest.latency": _Field(
        lambda entry: entry.http_request.latency.ToTimedelta().total_seconds(), _seconds
    ),
}

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def _field(path: str) -> _Field:
    if path in _FIELDS:
        return _FIELDS[path]
    if path.startswith("resource.labels."):
        return _Field(_label(operator.attrgetter("resource.labels"), path, 2), str)
    if path.startswith("labels."):
        return _Field(_label(operator.attrgetter("labels"), path, 1), str)
    if path.startswith("jsonPayload."):
        return _Field(_json(path.split(".")[1:]), str)
    raise invalid(f"Unknown field in the filter: {path}")


def _label(
    labels: Callable[[RawEntry], Mapping[str, str]], path: str, depth: int
) -> Callable[[RawEntry], str | None]:
    name = path.split(".", depth)[depth]
    return lambda entry: labels(entry).get(name)


def _json(path: list[str]) -> Callable[[RawEntry], Any]:
    def read(entry: RawEntry) -> Any:  # noqa: ANN401 - any JSON value
        value: Any = entry.json_payload
        for name in path:
            if not isinstance(value, Struct) or name not in value:
                return None
            value = value[name]
        return value

    return read
