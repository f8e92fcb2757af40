"""The metrics of Cloud Run in Cloud Monitoring, one row each, and readings of one revision by them.

Source: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import islice
from operator import add
from types import MappingProxyType
from typing import Any

from google.cloud.monitoring_v3.types import (
    Aggregation,
    ListTimeSeriesRequest,
    TimeInterval,
    TimeSeries,
    TypedValue,
)

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, PATIENT, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Clock
from greenrun.model.objective import Quantity
from greenrun.model.plan import Location
from greenrun.model.stats import UNKNOWN, Counts, Histogram, Sample

RawDistribution = Any  # google.api.Distribution
_Aligner, _Reducer = Aggregation.Aligner, Aggregation.Reducer

_LAG, _EMULATED_LAG = timedelta(minutes=4), timedelta(seconds=2)
_MOST_SERIES = 10_000
"""Time series of one metric of one revision that are read; a revision has some tens."""


@dataclass(frozen=True, slots=True)
class PlatformMetric:
    """A measure of release.yaml, as the platform counts it and as an alert compares it.

    `scale` turns the platform's number into one of the `unit` that thresholds have. An alert
    compares series that match `where`; with `of_all`, their share of all series. `aligner` and
    `reducer` are those of Aggregation.
    """

    type: str
    unit: str
    aligner: int
    reducer: int
    scale: float = 1
    where: str = ""
    of_all: bool = False


_COUNT = "run.googleapis.com/request_count"
_LATENCIES = "run.googleapis.com/request_latencies"
_MEMORY = "run.googleapis.com/container/memory/utilizations"
_5XX = 'metric.labels.response_code_class="5xx"'

METRICS: Mapping[str, PlatformMetric] = MappingProxyType(
    {
        "error rate": PlatformMetric(
            _COUNT, "%", _Aligner.ALIGN_RATE, _Reducer.REDUCE_SUM, 100, _5XX, of_all=True
        ),
        "p50 latency": PlatformMetric(
            _LATENCIES, "ms", _Aligner.ALIGN_DELTA, _Reducer.REDUCE_PERCENTILE_50
        ),
        "p95 latency": PlatformMetric(
            _LATENCIES, "ms", _Aligner.ALIGN_DELTA, _Reducer.REDUCE_PERCENTILE_95
        ),
        "p99 latency": PlatformMetric(
            _LATENCIES, "ms", _Aligner.ALIGN_DELTA, _Reducer.REDUCE_PERCENTILE_99
        ),
        "memory": PlatformMetric(
            _MEMORY, "%", _Aligner.ALIGN_PERCENTILE_99, _Reducer.REDUCE_MAX, 100
        ),
    }
)
"""A new measure of a revision is one row here."""


class CloudMetrics:
    """The platform's figures of one service's revisions."""

    def __init__(self, clients: GoogleClients, place: Location, service: str, clock: Clock) -> None:
        self._clients = clients
        self._place = place
        self._service = service
        self._clock = clock

    @property
    def lag(self) -> timedelta:
        """Points are written each minute, and seen up to 3 minutes later; emulators are quicker."""
        return _EMULATED_LAG if self._clients.emulated else _LAG

    def sample(self, revision: str, since: datetime, until: datetime | None = None) -> Sample:
        """Count the answers of a revision: whole periods that lie within that time."""
        end = until or self._clock.now()
        counts = _by_class(self._series(_COUNT, revision, since, end), since)
        latencies = _merged(self._series(_LATENCIES, revision, since, end), since)
        bad = counts["5xx"]
        return Sample(Counts(counts.total() - bad, bad), latencies)

    def highest(
        self, measure: str, revision: str, since: datetime, until: datetime
    ) -> Quantity | None:
        """Return the most that an instance has had of a measure in that time; None: no data.

        As near as the platform's buckets tell, and never less than it was; of whole periods.
        """
        metric = METRICS[measure]
        value = highest(self._series(metric.type, revision, since, until), since)
        return None if value is None else Quantity(metric.scale * value, metric.unit)

    def _series(
        self, metric: str, revision: str, since: datetime, until: datetime
    ) -> Sequence[TimeSeries]:
        """All series of a metric in that time. Raises CallFailed where they cannot be read."""
        request = ListTimeSeriesRequest(
            name=f"projects/{self._place.project}",
            filter=f'metric.type="{metric}" AND {self._of(revision)}',
            interval=_interval(since, until),
            view=ListTimeSeriesRequest.TimeSeriesView.FULL,
        )
        with refused(f"read {metric} of revision {revision}"):
            found = list(
                islice(
                    self._clients.metrics.list_time_series(
                        request, retry=PATIENT, timeout=ANSWER_SECONDS
                    ),
                    _MOST_SERIES + 1,
                )
            )
        if len(found) > _MOST_SERIES:
            raise CallFailed(
                f"could not read {metric} of revision {revision}: got more than {_MOST_SERIES} "
                "time series, needs fewer"
            )
        return found

    def _of(self, revision: str) -> str:
        name = json.dumps(revision)
        return f"{series_of(self._place, self._service)} AND resource.labels.revision_name={name}"


def series_of(place: Location, service: str) -> str:
    """The filter of one service's series, of any metric."""
    terms = {
        "resource.type": "cloud_run_revision",
        "resource.labels.service_name": service,
        "resource.labels.location": place.region,
    }
    return " AND ".join(f"{field}={json.dumps(value)}" for field, value in terms.items())


def highest(series: Iterable[TimeSeries], since: datetime) -> float | None:
    """The highest value in all distributions since then; None where nothing was counted."""
    found = (value.distribution_value for one in series for value in _values(one, since))
    return max((_highest(each) for each in found if each.count), default=None)


def _highest(distribution: RawDistribution) -> float:
    """The highest value; of several, where the bucket ends that it lies in."""
    if distribution.count == 1 or not distribution.bucket_counts:
        return float(distribution.mean)
    last = max(place for place, count in enumerate(distribution.bucket_counts) if count)
    return _end(distribution.bucket_options, last)


def _end(options: Any, place: int) -> float:  # noqa: ANN401 - a raw BucketOptions
    """Where bucket `place` ends; the open one, where it begins.

    Source: google.api.Distribution.BucketOptions
    """
    match options.WhichOneof("options"):
        case "linear_buckets":
            linear = options.linear_buckets
            return float(linear.offset + linear.width * min(place, linear.num_finite_buckets))
        case "exponential_buckets":
            growth = options.exponential_buckets
            return float(
                growth.scale * growth.growth_factor ** min(place, growth.num_finite_buckets)
            )
        case "explicit_buckets":
            bounds = options.explicit_buckets.bounds
            return float(bounds[min(place, len(bounds) - 1)])
        case unknown:
            raise CallFailed(
                f"could not read a distribution: got buckets {unknown}, needs linear, "
                "exponential or explicit ones"
            )


def _by_class(series: Iterable[TimeSeries], since: datetime) -> Counter[str]:
    """Count the requests of each class of status (2xx, 5xx, ...)."""
    counts: Counter[str] = Counter()
    for one in series:
        status = one.metric.labels["response_code_class"]
        counts[status] += sum(value.int64_value for value in _values(one, since))
    return counts


def _merged(series: Iterable[TimeSeries], since: datetime) -> Histogram:
    """All latencies in one histogram; an empty one where there are none."""
    found = (value for one in series for value in _values(one, since))
    parts = (_histogram(value.distribution_value) for value in found)
    return reduce(add, parts, next(parts, UNKNOWN))


def _histogram(distribution: RawDistribution) -> Histogram:
    buckets = distribution.bucket_options
    if not buckets.HasField("exponential_buckets"):
        raise CallFailed(
            f"could not read {_LATENCIES}: got {buckets.WhichOneof('options')}, "
            "needs exponential_buckets"
        )
    growth = buckets.exponential_buckets
    return Histogram.exponential(
        growth.num_finite_buckets, growth.growth_factor, growth.scale, distribution.bucket_counts
    )


def _values(series: TimeSeries, since: datetime) -> Iterator[TypedValue]:
    """Those of whole periods: one that began before `since` is left out."""
    for point in series.points:
        if TimeInterval.pb(point.interval).start_time.ToDatetime(UTC) >= since:
            yield point.value


def _interval(since: datetime, until: datetime) -> TimeInterval:
    interval = TimeInterval()
    written = TimeInterval.pb(interval)
    written.start_time.FromDatetime(since)
    written.end_time.FromDatetime(until)
    return interval
