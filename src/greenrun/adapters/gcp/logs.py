"""Cloud Logging: what revisions and jobs wrote, and which requests were answered by whom."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

from google.cloud.logging_v2.types import ListLogEntriesRequest, LogEntry
from google.logging.type.log_severity_pb2 import LogSeverity
from google.protobuf.json_format import MessageToDict, SerializeToJsonError

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, PATIENT, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import LogEntry as Entry
from greenrun.model.plan import Location

RawEntry = Any  # the protobuf message inside a LogEntry

_PAGE = 1000
_MOST_ENTRIES = 50_000
_MOST_BYTES = 50_000_000
"""Of one reading: what is written to a log is up to a service."""

_EXECUTION = 'labels."run.googleapis.com/execution_name"'
_PAYLOADS = ("text_payload", "json_payload")
_REQUESTS = 'logName:"run.googleapis.com%2Frequests"'


class CloudLogs:
    """The log of one service, and of the jobs beside it.

    Args:
        redact: takes credentials out of whatever is handed on.
    """

    def __init__(
        self, clients: GoogleClients, place: Location, service: str, redact: Callable[[str], str]
    ) -> None:
        self._clients = clients
        self._place = place
        self._service = service
        self._redact = redact

    def of_revision(self, name: str) -> Sequence[Entry]:
        """All that a revision wrote since its start, oldest first; its requests are not in it."""
        return self._written(self._revisions(revision_name=name))

    def of_execution(self, name: str) -> Sequence[Entry]:
        """All that a job execution wrote, oldest first."""
        return self._written(self._of("cloud_run_job", {_EXECUTION: name}))

    def answerers(self, user_agent: str) -> Sequence[str]:
        """The revision behind each request of that exact user agent, oldest first."""
        wanted = self._revisions() + f" AND httpRequest.userAgent={json.dumps(user_agent)}"
        return [
            entry.resource.labels["revision_name"]
            for entry in self._entries(wanted)
            # The filter compares without regard to case.
            if entry.http_request.user_agent == user_agent
        ]

    def _revisions(self, **labels: str) -> str:
        named = {"service_name": self._service, **labels}
        terms = {f"resource.labels.{label}": value for label, value in named.items()}
        return self._of("cloud_run_revision", terms)

    def _of(self, resource: str, terms: Mapping[str, str]) -> str:
        where = {"resource.type": resource, "resource.labels.location": self._place.region}
        return " AND ".join(
            f"{field}={json.dumps(value)}" for field, value in {**where, **terms}.items()
        )

    def _written(self, wanted: str) -> Sequence[Entry]:
        found = self._entries(f"{wanted} AND NOT {_REQUESTS}")
        return [
            self._entry(entry)
            for entry in found
            if LogEntry.pb(entry).WhichOneof("payload") in _PAYLOADS
        ]

    def _entries(self, wanted: str) -> list[LogEntry]:
        request = ListLogEntriesRequest(
            resource_names=[f"projects/{self._place.project}"],
            filter=wanted,
            order_by="timestamp asc",
            page_size=_PAGE,
        )
        with refused(f"read the log of {self._service}"):
            found = self._clients.log.list_log_entries(
                request, retry=PATIENT, timeout=ANSWER_SECONDS
            )
            return self._bounded(found)

    def _bounded(self, found: Iterable[LogEntry]) -> list[LogEntry]:
        entries, size = [], 0
        for entry in found:
            entries.append(entry)
            size += LogEntry.pb(entry).ByteSize()
            if len(entries) > _MOST_ENTRIES or size > _MOST_BYTES:
                raise CallFailed(
                    f"could not read the log of {self._service}: got more than "
                    f"{_MOST_ENTRIES:,} entries or {_MOST_BYTES / 10**6:g} MB, needs fewer",
                    hint="let the service write less",
                )
        return entries

    def _entry(self, entry: LogEntry) -> Entry:
        written = LogEntry.pb(entry)
        return Entry(
            time=written.timestamp.ToDatetime(UTC),
            severity=LogSeverity.Name(written.severity),
            text=self._redact(_text(written)),
        )


def _text(written: RawEntry) -> str:
    """The line, or the message of a structured one.

    One without a message is told as a whole, and so is one of which the platform knows no severity:
    a field beside the message may say it.
    """
    if written.WhichOneof("payload") != "json_payload":
        return str(written.text_payload)
    try:
        fields = MessageToDict(written.json_payload)
    except (ValueError, SerializeToJsonError):  # JSON has no infinite number
        return str(written.json_payload)
    message = fields.get("message")
    if message and (written.severity or len(fields) == 1):
        return str(message)
    return json.dumps(fields, ensure_ascii=False, sort_keys=True)
