"""Cloud Monitoring: how many requests each revision answered, how fast, and in what memory."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor
from typing import Any

from google.api.metric_pb2 import Metric as MetricLabels
from google.api.metric_pb2 import MetricDescriptor
from google.api.monitored_resource_pb2 import MonitoredResource
from google.cloud.monitoring_v3.types import (
    Aggregation,
    ListTimeSeriesRequest,
    ListTimeSeriesResponse,
    Point,
    TimeInterval,
    TimeSeries,
)
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

from cloudrun_emulator.apis.listing import paginate
from cloudrun_emulator.apis.monitoring.measurements import (
    Measurement,
    MemorySample,
    memory_measurements,
    request_measurements,
)
from cloudrun_emulator.apis.monitoring.metrics import (
    RESOURCE_TYPE,
    Metric,
    Series,
    SeriesSelection,
    field_named,
    select_series,
)
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import Ingress
from cloudrun_emulator.core.resource_names import invalid
from cloudrun_emulator.core.time import utc_now

_Aligner, _Reducer = Aggregation.Aligner, Aggregation.Reducer


_ALIGNERS = (_Aligner.ALIGN_NONE, _Aligner.ALIGN_DELTA, _Aligner.ALIGN_SUM)


_REDUCERS = (_Reducer.REDUCE_NONE, _Reducer.REDUCE_SUM)


@dataclass(frozen=True, slots=True)
class Window:
    """Points of `period` that end after `start` and not after `end`: seconds since 1970.

    Nothing that ended after `newest` is told.
    """

    start: int
    end: int
    period: int
    newest: int

    @classmethod
    def of(cls, request: ListTimeSeriesRequest, newest: int) -> "Window":
        """Raise INVALID_ARGUMENT for an interval without an end, or that ends before it starts."""
        interval = ListTimeSeriesRequest.pb(request).interval
        if not interval.HasField("end_time"):
            raise invalid("interval.end_time is required.")
        end = interval.end_time.seconds
        start = interval.start_time.seconds if interval.HasField("start_time") else end - 1
        if start > end:
            raise invalid(f"interval: starts at {start}, after its end at {end}.")
        return cls(start, end, _period(request.aggregation), newest)

    def point_end(self, time: datetime) -> int | None:
        """Return the end of the point in which `time` lies; None if it is outside or too young."""
        end = ceil(time.timestamp())
        if not self.start < end <= min(self.end, self.newest):
            return None
        return self.end - (self.end - end) // self.period * self.period


_SETTLED = timedelta(milliseconds=500)
"""The longest that the ingress takes to tell of a request, so that no point changes once seen."""


_HEADERS = ListTimeSeriesRequest.TimeSeriesView.HEADERS


_Key = tuple[tuple[str, str], ...]


_ValuesByEnd = dict[int, list[float]]


def _not_measured() -> Sequence[MemorySample]:
    return ()


class Monitoring:
    """`MetricService` over the requests of an ingress, and the memory of instances.

    One point covers one second (Google's cover sixty); data younger than `lag` is withheld.
    """

    def __init__(
        self,
        ingress: Ingress,
        *,
        memory: Callable[[], Iterable[MemorySample]] = _not_measured,
        lag: timedelta = timedelta(),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._ingress = ingress
        self._memory = memory
        self._lag = lag
        self._clock = clock

    def list_time_series(self, request: ListTimeSeriesRequest) -> ListTimeSeriesResponse:
        """Newest points first; raises UNIMPLEMENTED for an aligner or reducer not understood."""
        selection = select_series(request.filter)
        window = Window.of(request, floor((self._clock() - _SETTLED - self._lag).timestamp()))
        measured = _selected(self._measured(selection), project_named(request.name), selection)
        counted = _values_by_point(measured, window, reduction(request.aggregation))
        series = [
            _time_series(selection.metric, key, {} if request.view == _HEADERS else by_end, window)
            for key, by_end in sorted(counted.items())
        ]
        some, token = paginate(series, request.page_size, request.page_token)
        return ListTimeSeriesResponse(
            time_series=some, next_page_token=token, unit=selection.metric.unit
        )

    def _measured(self, selection: SeriesSelection) -> Iterator[Measurement]:
        if selection.metric.of_requests:
            return request_measurements(self._ingress.requests())
        return memory_measurements(self._memory())


def _selected(
    measured: Iterable[Measurement], project: str, selection: SeriesSelection
) -> Iterator[Measurement]:
    return (one for one in measured if one.project == project and selection.holds(one.series))


def _values_by_point(
    measured: Iterable[Measurement], window: Window, merged: Callable[[Series], Series]
) -> Mapping[_Key, _ValuesByEnd]:
    counted: dict[_Key, _ValuesByEnd] = defaultdict(lambda: defaultdict(list))
    for one in measured:
        end = window.point_end(one.time)
        if end is not None:
            counted[tuple(merged(one.series).items())][end].append(one.value)
    return counted


def _time_series(metric: Metric, key: _Key, by_end: _ValuesByEnd, window: Window) -> TimeSeries:
    return TimeSeries(
        metric=MetricLabels(type=metric.type, labels=_labels_under(key, "metric.labels.")),
        resource=MonitoredResource(
            type=RESOURCE_TYPE, labels=_labels_under(key, "resource.labels.")
        ),
        metric_kind=MetricDescriptor.DELTA,
        value_type=metric.value_type,
        unit=metric.unit,
        points=[
            Point(interval=_interval(end, window.period), value=metric.value(by_end[end]))
            for end in sorted(by_end, reverse=True)
        ],
    )


def _labels_under(key: _Key, prefix: str) -> dict[str, str]:
    return {field.removeprefix(prefix): value for field, value in key if field.startswith(prefix)}


def _interval(end: int, period: int) -> TimeInterval:
    return TimeInterval(start_time=Timestamp(seconds=end - period), end_time=Timestamp(seconds=end))


def project_named(name: str) -> str:
    """Read `projects/PROJECT`; raise INVALID_ARGUMENT for another shape."""
    collection, _, project = name.partition("/")
    if collection != "projects" or not project or "/" in project:
        raise invalid(f"name: expected projects/PROJECT, got '{name}'.")
    return project


def reduction(aggregation: Aggregation) -> Callable[[Series], Series]:
    """Return a function from a series to the one that it becomes part of."""
    if aggregation.cross_series_reducer == _Reducer.REDUCE_NONE:
        return lambda series: series
    kept = sorted({field_named(name) for name in aggregation.group_by_fields})
    return lambda series: {field: series[field] for field in kept if field in series}


def _period(aggregation: Aggregation) -> int:
    """The alignment period in seconds; unlike Google's it may be less than sixty."""
    aligner, reducer = aggregation.per_series_aligner, aggregation.cross_series_reducer
    _require(aligner, _ALIGNERS)
    _require(reducer, _REDUCERS)
    if aligner != _Aligner.ALIGN_NONE:
        return _whole_seconds(Aggregation.pb(aggregation).alignment_period)
    if reducer != _Reducer.REDUCE_NONE:
        raise invalid("aggregation: a reducer needs an aligner and an alignment period.")
    return 1


def _whole_seconds(period: Any) -> int:  # noqa: ANN401 - a raw Duration
    if period.seconds < 1 or period.nanos:
        raise invalid(f"alignment_period: needs whole seconds, got {period.ToJsonString()}.")
    return int(period.seconds)


def _require(asked: Any, understood: tuple[Any, ...]) -> None:  # noqa: ANN401 - proto-plus enums have no type
    if asked not in understood:
        names = ", ".join(one.name for one in understood)
        raise CloudError(
            StatusCode.UNIMPLEMENTED,
            f"aggregation: {asked.name} is not understood, only {names}.",
        )
