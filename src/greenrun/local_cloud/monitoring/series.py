"""Cloud Monitoring: how many requests each revision answered, and how fast."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from math import floor

from google.api.metric_pb2 import Metric as MetricLabels
from google.api.metric_pb2 import MetricDescriptor
from google.api.monitored_resource_pb2 import MonitoredResource
from google.cloud.monitoring_v3.types import (
    ListTimeSeriesRequest,
    ListTimeSeriesResponse,
    Point,
    TimeInterval,
    TimeSeries,
)
from google.protobuf.timestamp_pb2 import Timestamp

from greenrun.local_cloud.logging.entries import revision_labels
from greenrun.local_cloud.machinery import Ingress, Request
from greenrun.local_cloud.monitoring.alignment import Window, reduction
from greenrun.local_cloud.monitoring.metrics import Metric, labels
from greenrun.local_cloud.monitoring.selection import RESOURCE_TYPE, Selection, Series, select
from greenrun.local_cloud.names import invalid
from greenrun.local_cloud.pages import page

_SETTLED = timedelta(milliseconds=500)
"""By then the ingress has told of a request that finished, so no point changes once seen."""

_HEADERS = ListTimeSeriesRequest.TimeSeriesView.HEADERS

_Key = tuple[tuple[str, str], ...]
_RequestsByEnd = dict[int, list[Request]]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Monitoring:
    """`MetricService` over the requests of an ingress. It keeps nothing.

    One point covers one second (Google's cover sixty); data younger than `lag` is withheld.
    """

    def __init__(
        self,
        ingress: Ingress,
        *,
        lag: timedelta = timedelta(),
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._ingress = ingress
        self._lag = lag
        self._clock = clock

    def list_time_series(self, request: ListTimeSeriesRequest) -> ListTimeSeriesResponse:
        """Newest points first; raises UNIMPLEMENTED for an aligner or reducer not understood."""
        selection = select(request.filter)
        window = Window.of(request, floor((self._clock() - _SETTLED - self._lag).timestamp()))
        samples = _samples(self._ingress.requests(), _project(request.name), selection)
        counted = _counted(samples, window, reduction(request.aggregation))
        series = [
            _time_series(selection.metric, key, {} if request.view == _HEADERS else by_end, window)
            for key, by_end in sorted(counted.items())
        ]
        some, token = page(series, request.page_size, request.page_token)
        return ListTimeSeriesResponse(
            time_series=some, next_page_token=token, unit=selection.metric.unit
        )


def _samples(
    requests: Iterable[Request], project: str, selection: Selection
) -> Iterator[tuple[Series, Request]]:
    for request in requests:
        resource, metric = revision_labels(request), labels(request)
        series = {f"resource.labels.{name}": value for name, value in resource.items()}
        series |= {f"metric.labels.{name}": value for name, value in metric.items()}
        if resource["project_id"] == project and selection.holds(series):
            yield series, request


def _counted(
    samples: Iterable[tuple[Series, Request]], window: Window, merged: Callable[[Series], Series]
) -> Mapping[_Key, _RequestsByEnd]:
    counted: dict[_Key, _RequestsByEnd] = defaultdict(lambda: defaultdict(list))
    for series, request in samples:
        end = window.point_end(request)
        if end is not None:
            counted[tuple(merged(series).items())][end].append(request)
    return counted


def _time_series(metric: Metric, key: _Key, by_end: _RequestsByEnd, window: Window) -> TimeSeries:
    return TimeSeries(
        metric=MetricLabels(type=metric.type, labels=_labels(key, "metric.labels.")),
        resource=MonitoredResource(type=RESOURCE_TYPE, labels=_labels(key, "resource.labels.")),
        metric_kind=MetricDescriptor.DELTA,
        value_type=metric.value_type,
        unit=metric.unit,
        points=[
            Point(interval=_interval(end, window.period), value=metric.value(by_end[end]))
            for end in sorted(by_end, reverse=True)
        ],
    )


def _labels(key: _Key, prefix: str) -> dict[str, str]:
    return {field.removeprefix(prefix): value for field, value in key if field.startswith(prefix)}


def _interval(end: int, period: int) -> TimeInterval:
    return TimeInterval(start_time=Timestamp(seconds=end - period), end_time=Timestamp(seconds=end))


def _project(name: str) -> str:
    collection, _, project = name.partition("/")
    if collection != "projects" or not project or "/" in project:
        raise invalid(f"name: expected projects/PROJECT, got '{name}'.")
    return project
