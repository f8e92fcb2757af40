"""Cloud Logging: the output of containers and the requests of the ingress, to be searched."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain

from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse

from cloudrun_emulator.apis.filters import Predicate
from cloudrun_emulator.apis.logging.entries import RawEntry, container_entries, request_entries
from cloudrun_emulator.apis.logging.selection import entry_filter
from cloudrun_emulator.core.interfaces import Fleet, Ingress
from cloudrun_emulator.core.resource_names import invalid
from cloudrun_emulator.core.time import stamp

_PROJECT = re.compile(r"projects/[^/]+")
_ORDERS = {"": False, "timestamp": False, "timestamp asc": False, "timestamp desc": True}
_PAGE, _LARGEST_PAGE = 50, 1000


class Logging:
    """`LoggingServiceV2` over what a fleet wrote and an ingress answered. It keeps nothing.

    Entries younger than `lateness`, asked for at each search, are withheld.
    """

    def __init__(
        self, fleet: Fleet, ingress: Ingress, lateness: Callable[[], timedelta] = timedelta
    ) -> None:
        self._fleet = fleet
        self._ingress = ingress
        self._lateness = lateness

    def list_log_entries(self, request: ListLogEntriesRequest) -> ListLogEntriesResponse:
        """Entries of whole projects, oldest first unless asked otherwise.

        Raises INVALID_ARGUMENT for a filter or an order that is not understood.
        """
        selected = _of_projects(request.resource_names)
        matches = entry_filter(request.filter)
        entries = [entry for entry in self._entries() if selected(entry) and matches(entry)]
        entries.sort(key=_position, reverse=_newest_first(request.order_by))
        return _page(entries, request.page_size, request.page_token)

    def _entries(self) -> Iterator[RawEntry]:
        every = chain(
            container_entries(self._fleet.output()), request_entries(self._ingress.requests())
        )
        late = self._lateness()
        return _older(every, late) if late else every


def _older(entries: Iterator[RawEntry], age: timedelta) -> Iterator[RawEntry]:
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
