"""Cloud Logging: the output of containers and the requests of the ingress, to be searched."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse
from google.logging.type.log_severity_pb2 import LogSeverity
from google.protobuf.struct_pb2 import ListValue, Struct

from cloudrun_emulator.apis.listing import Comparison, Predicate, compile_filter
from cloudrun_emulator.apis.logging.entries import RawEntry, container_entries, request_entries
from cloudrun_emulator.core.interfaces import Fleet, Ingress
from cloudrun_emulator.core.resource_names import invalid
from cloudrun_emulator.core.time import stamp

_PROJECT = re.compile(r"projects/[^/]+")
_ORDERS = {"": False, "timestamp": False, "timestamp asc": False, "timestamp desc": True}
_PAGE, _LARGEST_PAGE = 50, 1000


class Logging:
    """`LoggingServiceV2` over what a fleet wrote and an ingress answered.

    It keeps what the last search found, for the pages after its first one.

    Entries younger than `delay`, asked for at each search, are withheld.
    """

    def __init__(
        self, fleet: Fleet, ingress: Ingress, delay: Callable[[], timedelta] = timedelta
    ) -> None:
        self._fleet = fleet
        self._ingress = ingress
        self._delay = delay
        self._last: tuple[_Search, Sequence[RawEntry]] | None = None

    def list_log_entries(self, request: ListLogEntriesRequest) -> ListLogEntriesResponse:
        """Entries of whole projects, oldest first unless asked otherwise.

        Raises INVALID_ARGUMENT for a filter or an order that is not understood.
        """
        search = _Search(tuple(request.resource_names), request.filter, request.order_by)
        last = self._last
        if request.page_token and last and last[0] == search:
            return _page(last[1], request.page_size, request.page_token)
        entries = self._found(search)
        self._last = search, entries
        return _page(entries, request.page_size, request.page_token)

    def _found(self, search: "_Search") -> Sequence[RawEntry]:
        selected, matches = _of_projects(search.names), entry_filter(search.filter)
        entries = [entry for entry in self._entries() if selected(entry) and matches(entry)]
        entries.sort(key=_position, reverse=_newest_first(search.order))
        return entries

    def _entries(self) -> Iterator[RawEntry]:
        every = chain(
            container_entries(self._fleet.output()), request_entries(self._ingress.requests())
        )
        delay_now = self._delay()
        return _at_least(every, delay_now) if delay_now else every


class _Search(NamedTuple):
    """What all pages of a search have in common."""

    names: Sequence[str]
    filter: str
    order: str


def _at_least(entries: Iterator[RawEntry], age: timedelta) -> Iterator[RawEntry]:
    newest = stamp(datetime.now(UTC) - age).ToNanoseconds()
    return (entry for entry in entries if entry.timestamp.ToNanoseconds() <= newest)


def _of_projects(names: Sequence[str]) -> Predicate[RawEntry]:
    strange = [name for name in names if not _PROJECT.fullmatch(name)]
    if strange or not names:
        raise invalid(f"resource_names: expected projects/PROJECT, got {list(names)}.")
    prefixes = tuple(f"{name}/logs/" for name in names)
    return lambda entry: entry.log_name.startswith(prefixes)


def _newest_first(order: str) -> bool:
    if order not in _ORDERS:
        raise invalid(f"order_by: expected one of {list(_ORDERS)}, got '{order}'.")
    return _ORDERS[order]


def _position(entry: RawEntry) -> tuple[int, str]:
    return entry.timestamp.ToNanoseconds(), entry.insert_id


def _page(entries: Sequence[RawEntry], size: int, token: str) -> ListLogEntriesResponse:
    """The page after the entry whose id is `token`: entries that arrived since move nothing."""
    if not 0 <= size <= _LARGEST_PAGE:
        raise invalid(f"page_size: expected 0 to {_LARGEST_PAGE}, got {size}.")
    start = _after(entries, token) if token else 0
    page = entries[start : start + (size or _PAGE)]
    more = start + len(page) < len(entries)
    return ListLogEntriesResponse(entries=page, next_page_token=page[-1].insert_id if more else "")


def _after(entries: Sequence[RawEntry], token: str) -> int:
    for index, entry in enumerate(entries, start=1):
        if entry.insert_id == token:
            return index
    raise invalid(f"Invalid page token '{token}'.")


Value = str | float | datetime | None


class _Field(NamedTuple):
    """Reads a field of an entry, and parses a value to compare it with."""

    read: Callable[[RawEntry], Any]
    parse: Callable[[str], Value]


def entry_filter(text: str) -> Predicate[RawEntry]:
    """Raise INVALID_ARGUMENT naming what was not understood.

    As on Google: text is compared without regard to case; a comparison with a label or a payload
    field that an entry lacks never holds; a field of the entry itself has its default value.
    Source: https://cloud.google.com/logging/docs/view/logging-query-language
    """
    return compile_filter(text, _entry_predicate)


def _entry_predicate(comparison: Comparison) -> Predicate[RawEntry]:
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
    """Convert both to the type of the actual one; None for what cannot be compared."""
    if isinstance(actual, bool):
        actual = str(actual)
    if isinstance(actual, str):
        return actual.casefold(), str(expected).casefold()
    if isinstance(actual, Struct | ListValue):
        return None, None
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


def _parse_severity(text: str) -> float:
    name = text.upper()
    return float(LogSeverity.Value(name) if name in set(LogSeverity.keys()) else text)


def _parse_time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _parse_seconds(text: str) -> float:
    """Parse a duration such as "0.25s"."""
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
    "severity": _Field(operator.attrgetter("severity"), _parse_severity),
    "timestamp": _Field(lambda entry: entry.timestamp.ToDatetime(UTC), _parse_time),
    "textPayload": _Field(operator.attrgetter("text_payload"), str),
    "resource.type": _Field(operator.attrgetter("resource.type"), str),
    "httpRequest.requestMethod": _Field(operator.attrgetter("http_request.request_method"), str),
    "httpRequest.requestUrl": _Field(operator.attrgetter("http_request.request_url"), str),
    "httpRequest.userAgent": _Field(operator.attrgetter("http_request.user_agent"), str),
    "httpRequest.status": _Field(operator.attrgetter("http_request.status"), float),
    "httpRequest.responseSize": _Field(operator.attrgetter("http_request.response_size"), float),
    "httpRequest.latency": _Field(
        lambda entry: entry.http_request.latency.ToTimedelta().total_seconds(), _parse_seconds
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
        return _Field(_payload_field(path.split(".")[1:]), str)
    raise invalid(f"Unknown field in the filter: {path}")


def _label(
    labels: Callable[[RawEntry], Mapping[str, str]], path: str, depth: int
) -> Callable[[RawEntry], str | None]:
    name = path.split(".", depth)[depth]
    return lambda entry: labels(entry).get(name)


def _payload_field(path: list[str]) -> Callable[[RawEntry], Any]:
    def read(entry: RawEntry) -> Any:  # noqa: ANN401 - any JSON value
        value: Any = entry.json_payload
        for name in path:
            if not isinstance(value, Struct) or name not in value:
                return None
            value = value[name]
        return value

    return read
