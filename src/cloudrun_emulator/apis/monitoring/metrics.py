"""The metrics of Cloud Run that are measured here: requests of the ingress, memory of instances.

Source: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from google.api.distribution_pb2 import Distribution
from google.api.metric_pb2 import MetricDescriptor
from google.cloud.monitoring_v3.types import TypedValue

LABELS = ("response_code", "response_code_class")

_FINITE_BUCKETS, _GROWTH, _SCALE = 66, 1.4, 1.0  # [?]
_LATENCIES = Distribution.BucketOptions(
    exponential_buckets=Distribution.BucketOptions.Exponential(
        num_finite_buckets=_FINITE_BUCKETS, growth_factor=_GROWTH, scale=_SCALE
    )
)
_LATENCY_BOUNDS = [_SCALE * _GROWTH**power for power in range(_FINITE_BUCKETS + 1)]

_PERCENTS = 100
_SHARES = Distribution.BucketOptions(
    linear_buckets=Distribution.BucketOptions.Linear(
        num_finite_buckets=_PERCENTS, width=1 / _PERCENTS, offset=0
    )
)  # [?]
_SHARE_BOUNDS = [percent / _PERCENTS for percent in range(_PERCENTS + 1)]

Values = Sequence[float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A kind DELTA metric: its value over a period comes from what was measured in it.

    Of requests that is their latency in milliseconds, of instances the share of memory in use.
    """

    type: str
    value_type: int
    unit: str
    value: Callable[[Values], TypedValue]
    of_requests: bool = True


def _count(values: Values) -> TypedValue:
    return TypedValue(int64_value=len(values))


def _latencies(values: Values) -> TypedValue:
    return TypedValue(distribution_value=_distribution(values, _LATENCIES, _LATENCY_BOUNDS))


def _shares(values: Values) -> TypedValue:
    return TypedValue(distribution_value=_distribution(values, _SHARES, _SHARE_BOUNDS))


def _distribution(
    values: Values, buckets: Distribution.BucketOptions, bounds: Sequence[float]
) -> Distribution:
    mean = fsum(values) / len(values)
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bisect_right(bounds, value)] += 1
    return Distribution(
        count=len(values),
        mean=mean,
        sum_of_squared_deviation=fsum((value - mean) ** 2 for value in values),
        bucket_counts=counts,
        bucket_options=buckets,
    )


METRICS: Mapping[str, Metric] = {
    metric.type: metric
    for metric in (
        Metric("run.googleapis.com/request_count", MetricDescriptor.INT64, "1", _count),
        Metric(
            "run.googleapis.com/request_latencies", MetricDescriptor.DISTRIBUTION, "ms", _latencies
        ),
        Metric(
            "run.googleapis.com/container/memory/utilizations",
            MetricDescriptor.DISTRIBUTION,
            "10^2.%",
            _shares,
            of_requests=False,
        ),
    )
}
