"""What was measured, and the time series that each measurement belongs to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudrun_emulator.apis.logging.entries import revision_labels
from cloudrun_emulator.apis.monitoring.memory import MemorySample
from cloudrun_emulator.apis.monitoring.selection import Series
from cloudrun_emulator.core.interfaces import Request

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value; the point in which `time` lies counts it."""

    series: Series
    time: datetime
    value: float

    @property
    def project(self) -> str:
        return self.series["resource.labels.project_id"]


def of_requests(requests: Iterable[Request]) -> Iterator[Measurement]:
    """The latency of each request, when it had finished."""
    for request in requests:
        status = str(request.status)
        labels = {
            "metric.labels.response_code": status,
            "metric.labels.response_code_class": f"{status[0]}xx",
        }
        series = {**_resource(revision_labels(request)), **labels}
        yield Measurement(series, request.time + request.latency, request.latency / _MILLISECOND)


def of_memory(samples: Iterable[MemorySample]) -> Iterator[Measurement]:
    """The share of memory in use, instance by instance."""
    for sample in samples:
        yield Measurement(_resource(sample.resource), sample.time, sample.share)


def _resource(labels: Mapping[str, str]) -> dict[str, str]:
    return {f"resource.labels.{name}": labels[name] for name in labels if name != "type"}
