"""Cloud Monitoring: how many requests a revision answered, how well and how fast."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from google.cloud.monitoring_v3.types import ListTimeSeriesRequest, TimeInterval, TimeSeries

from greenrun.adapters.google_calls import ANSWER_SECONDS, PATIENT, refused
from greenrun.adapters.google_clients import GoogleClients
from greenrun.domain.gate import Quantity
from greenrun.domain.histogram import Histogram
from greenrun.domain.plan import Place
from greenrun.errors import CallFailed
from greenrun.ports import Clock

RawDistribution = Any  # google.api.Distribution

_COUNT = "run.googleapis.com/request_count"
_LATENCIES = "run.googleapis.com/request_latencies"
_QUANTILES = {"p50 latency": 0.50, "p95 latency": 0.95, "p99 latency": 0.99}


class CloudMetrics:
    """The platform's figures of one service. On Google they lag up to 3 minutes behind.

    Source: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
    """

    def __init__(self, clients: GoogleClients, place: Place, service: str, clock: Clock) -> None:
        self._clients = clients
        self._place = place
        self._service = service
        self._clock = clock

    def of_revision(self, name: str, since: datetime) -> Mapping[str, Quantity | None]:
        """Figures of a revision over the time since `since`: whole periods of the platform's.

        Quantiles are interpolated within the platform's buckets.
        """
        counts = _by_class(self._series(_COUNT, name, since))
        latencies = _merged(self._series(_LATENCIES, name, since))
        total = counts.total()
        return {
            "requests": Quantity(total),
            "error rate": Quantity(100 * counts["5xx"] / total, "%") if total else None,
            **{measure: _quantile(latencies, share) for measure, share in _QUANTILES.items()},
        }

    def _series(self, metric: str, revision: str, since: datetime) -> list[TimeSeries]:
        request = ListTimeSeriesRequest(
            name=f"projects/{self._place.project}",
            filter=self._filter(metric, revision),
            interval=_interval(since, self._clock.now()),
            view=ListTimeSeriesRequest.TimeSeriesView.FULL,
        )
        with refused(f"read {metric} of revision {revision}"):
            found = self._clients.metrics.list_time_series(
                request, retry=PATIENT, timeout=ANSWER_SECONDS
            )
            return list(found)

    def _filter(self, metric: str, revision: str) -> str:
        terms = {
            "metric.type": metric,
            "resource.type": "cloud_run_revision",
            "resource.labels.location": self._place.region,
            "resource.labels.service_name": self._service,
            "resource.labels.revision_name": revision,
        }
        return " AND ".join(f"{field}={json.dumps(value)}" for field, value in terms.items())


def _interval(since: datetime, until: datetime) -> TimeInterval:
    interval = TimeInterval()
    written = TimeInterval.pb(interval)
    written.start_time.FromDatetime(since)
    written.end_time.FromDatetime(until)
    return interval


def _by_class(series: Iterable[TimeSeries]) -> Counter[str]:
    """How many requests each class of status (2xx, 5xx, ...) had."""
    counts: Counter[str] = Counter()
    for one in series:
        status = one.metric.labels["response_code_class"]
        counts[status] += sum(point.value.int64_value for point in one.points)
    return counts


def _merged(series: Iterable[TimeSeries]) -> Histogram | None:
    """All latencies in one histogram; None where there are none."""
    whole: Histogram | None = None
    for distribution in _distributions(series):
        part = _histogram(distribution)
        whole = part if whole is None else whole + part
    return whole


def _distributions(series: Iterable[TimeSeries]) -> Iterator[RawDistribution]:
    for one in series:
        yield from (point.value.distribution_value for point in one.points)


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


def _quantile(latencies: Histogram | None, share: float) -> Quantity | None:
    if latencies is None or not latencies.total:
        return None
    return Quantity(latencies.quantile(share), "ms")
