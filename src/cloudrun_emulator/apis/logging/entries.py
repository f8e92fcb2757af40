"""Entries of Cloud Logging: lines of containers, and requests of the ingress."""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cache
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

from google.api.monitored_resource_pb2 import MonitoredResource
from google.cloud.logging_v2.types import LogEntry
from google.logging.type.http_request_pb2 import HttpRequest
from google.logging.type.log_severity_pb2 import LogSeverity

from cloudrun_emulator.core.interfaces import InstanceSpec, LogLine, ServedRequest
from cloudrun_emulator.core.protobuf import well_formed
from cloudrun_emulator.core.resource_names import ResourceName, short
from cloudrun_emulator.core.time import stamp

RawEntry = Any  # the protobuf message inside a LogEntry: proto-plus is too slow for whole logs
_new_entry = LogEntry.pb()

_DEEPEST = 25
"""Levels of a structured entry: each is three messages, and a parser takes a hundred."""

_TASK_LABELS = {
    "run.googleapis.com/execution_name": "CLOUD_RUN_EXECUTION",
    "run.googleapis.com/task_index": "CLOUD_RUN_TASK_INDEX",
    "run.googleapis.com/task_attempt": "CLOUD_RUN_TASK_ATTEMPT",
}


class InsertIds:
    """Ids that are the same whenever the same entries are told in the same order."""

    def __init__(self) -> None:
        self._seen: Counter[Hashable] = Counter()

    def of(self, *identity: Hashable) -> str:
        """Entries that nothing tells apart are counted."""
        self._seen[identity] += 1
        text = repr((identity, self._seen[identity]))
        return blake2b(text.encode(), digest_size=10).hexdigest()


def container_entries(output: Iterable[tuple[InstanceSpec, LogLine]]) -> Iterator[RawEntry]:
    """Make one entry a line, in the log of its stream."""
    ids = InsertIds()
    for spec, line in output:
        entry = _new_entry(
            log_name=_log_name(spec.resource["project_id"], line.stream),
            insert_id=ids.of(spec.name, line.time, line.stream, line.text),
            timestamp=stamp(line.time),
            resource=_monitored_resource(spec.resource),
            labels=_entry_labels(spec),
        )
        if line.severity:
            entry.text_payload = well_formed(line.text)
            entry.severity = LogSeverity.Value(line.severity)
        else:
            _write(entry, line.text)
        yield entry


def request_entries(requests: Iterable[ServedRequest]) -> Iterator[RawEntry]:
    """Make one entry a request, in the request log."""
    ids = InsertIds()
    for request in requests:
        labels = revision_labels(request)
        yield _new_entry(
            log_name=_log_name(labels["project_id"], "requests"),
            insert_id=ids.of(request),
            timestamp=stamp(request.time),
            severity=_severity_of(request.status),
            resource=MonitoredResource(type="cloud_run_revision", labels=labels),
            trace=f"projects/{labels['project_id']}/traces/{request.trace}" * bool(request.trace),
            http_request=_http_request(request),
        )


def revision_labels(request: ServedRequest) -> dict[str, str]:
    """The labels of the resource cloud_run_revision that answered."""
    service = ResourceName.parse(request.service, "services")
    return {
        "project_id": service.location.project,
        "location": service.location.region,
        "service_name": service.id,
        "configuration_name": service.id,
        "revision_name": short(request.revision),
    }


def _http_request(request: ServedRequest) -> HttpRequest:
    answer = HttpRequest(
        request_method=well_formed(request.method),
        request_url=well_formed(request.url),
        status=request.status,
        user_agent=well_formed(request.user_agent),
        response_size=request.response_bytes,
    )
    answer.latency.FromTimedelta(request.latency)
    return answer


@cache
def _log_name(project: str, log: str) -> str:
    return f"projects/{project}/logs/{quote(f'run.googleapis.com/{log}', safe='')}"


def _monitored_resource(resource: Mapping[str, str]) -> MonitoredResource:
    labels = {name: value for name, value in resource.items() if name != "type"}
    return MonitoredResource(type=resource["type"], labels=labels)


def _entry_labels(spec: InstanceSpec) -> dict[str, str]:
    if spec.resource["type"] == "cloud_run_job":
        return {label: spec.environment.get(name, "") for label, name in _TASK_LABELS.items()}
    instance = spec.name.removesuffix(f"-{spec.container}")
    told = {"instanceId": blake2b(instance.encode(), digest_size=32).hexdigest()}
    return {**told, "container_name": spec.container} if spec.container else told


def _write(entry: RawEntry, text: str) -> None:
    """Write a JSON object as a structured entry, whatever else as text.

    Text has severity DEFAULT on stderr too: entries of real services show none. [C]
    Source: https://cloud.google.com/logging/docs/structured-logging
    """
    fields = _structured(text)
    if fields is None:
        entry.text_payload = well_formed(text)
        return
    entry.severity = LogSeverity.Value(_named_severity(fields))
    entry.trace = str(fields.pop("logging.googleapis.com/trace", ""))
    labels = fields.pop("logging.googleapis.com/labels", None)
    if isinstance(labels, dict):
        entry.labels.update({name: str(value) for name, value in labels.items()})
    entry.json_payload.update(fields)


def _structured(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        fields = _storable(json.loads(text, parse_int=float))
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _storable(value: Any, depth: int = 1) -> Any:  # noqa: ANN401 - any JSON value
    """Copy `value` with text that UTF-8 can hold; raise ValueError when it is nested too deeply."""
    if depth > _DEEPEST:
        raise ValueError(f"more than {_DEEPEST} levels")
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, list):
        return [_storable(one, depth + 1) for one in value]
    if isinstance(value, dict):
        return {well_formed(key): _storable(one, depth + 1) for key, one in value.items()}
    return value


def _named_severity(fields: dict[str, Any]) -> str:
    """Takes the field out when it names a severity; leaves it otherwise."""
    name = str(fields.get("severity", "")).upper()
    if name not in set(LogSeverity.keys()):
        return "DEFAULT"
    del fields["severity"]
    return name


def _severity_of(status: int) -> str:
    if status >= 500:
        return "ERROR"
    return "WARNING" if status >= 400 else "INFO"
