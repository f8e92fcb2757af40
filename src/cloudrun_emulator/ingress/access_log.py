"""The requests that Envoy has finished, from its access log."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from cloudrun_emulator.core.interfaces import ServedRequest

FIELDS = {
    "started": "%START_TIME(%s.%6f)%",
    "microseconds": "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
    "milliseconds": "%DURATION%",
    "route": "%ROUTE_NAME%",
    "cluster": "%UPSTREAM_CLUSTER_RAW%",
    "method": "%REQ(:METHOD)%",
    "host": "%REQ(:AUTHORITY)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "status": "%RESPONSE_CODE%",
    "user_agent": "%REQ(USER-AGENT)%",
    "response_bytes": "%BYTES_SENT%",
    "cloud_trace": "%REQ(X-CLOUD-TRACE-CONTEXT)%",
    "traceparent": "%REQ(TRACEPARENT)%",
}
"""Fields of a line beside its service, by Envoy's names."""

UNLOGGED = "unlogged"
"""Name of the routes whose requests no log and no metric of a service tells."""

CLIENT_LEFT = 499
"""Status that Google's front ends log for a client that left before the answer; Envoy says 0."""


class AccessLog:
    """Reads on from where it stopped, whole lines that tell a request, and no others."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._requests: list[ServedRequest] = []
        self._lock = Lock()

    def requests(self) -> Sequence[ServedRequest]:
        """Return all so far, in the order in which they finished."""
        with self._lock:
            for line in self._new_lines():
                with suppress(ValueError, TypeError, KeyError, OverflowError, RecursionError):
                    entry = json.loads(line)
                    if entry["route"] != UNLOGGED:
                        self._requests.append(request_of(entry))
            return tuple(self._requests)

    def _new_lines(self) -> list[bytes]:
        if not self._path.exists():
            return []
        with self._path.open("rb") as log:
            log.seek(self._offset)
            whole, newline, _ = log.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        return whole.splitlines()


def request_of(entry: Mapping[str, Any]) -> ServedRequest:
    """Read a line of the log, in which fields without a value are null."""
    return ServedRequest(
        time=datetime.fromtimestamp(float(entry["started"]), UTC),
        service=entry["service"],
        revision=(entry["cluster"] or "").rpartition("/")[2],
        method=entry["method"] or "",
        url=f"http://{entry['host'] or ''}{entry['path'] or ''}",
        status=entry["status"] or CLIENT_LEFT,
        latency=_latency(entry),
        user_agent=entry["user_agent"] or "",
        response_bytes=entry["response_bytes"],
        trace=entry["cloud_trace"] or entry["traceparent"] or "",
    )


def _latency(entry: Mapping[str, Any]) -> timedelta:
    """Return microseconds where an answer was sent, else whole milliseconds."""
    if entry["microseconds"] is not None:
        return timedelta(microseconds=entry["microseconds"])
    return timedelta(milliseconds=entry["milliseconds"])
