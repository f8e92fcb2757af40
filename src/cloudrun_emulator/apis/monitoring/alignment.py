"""Which point of a time series counts a measurement, and which series are summed into one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from google.cloud.monitoring_v3.types import Aggregation, ListTimeSeriesRequest
from grpc import StatusCode

from cloudrun_emulator.apis.monitoring.selection import Series, field_named
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.resource_names import invalid

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
        """When the point ends in which `time` lies; None if it is outside or too young."""
        end = ceil(time.timestamp())
        if not self.start < end <= min(self.end, self.newest):
            return None
        return self.end - (self.end - end) // self.period * self.period


def reduction(aggregation: Aggregation) -> Callable[[Series], Series]:
    """From a series to the one that it becomes part of."""
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
            StatusCode.UNIMPLEMENTED, f"aggregation: {asked.name} is not understood, only {names}."
        )
