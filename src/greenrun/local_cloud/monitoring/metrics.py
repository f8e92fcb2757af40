"""The two metrics of Cloud Run that are measured here, over requests of the ingress.

Source: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import fsum

from google.api.distribution_pb2 import Distribution
from google.api.metric_pb2 import MetricDescriptor
from google.cloud.monitoring_v3.types import TypedValue

from greenrun.local_cloud.machinery import Request

LABELS = ("response_code", "response_code_class")

_FINITE_BUCKETS, _GROWTH, _SCALE = 66, 1.4, 1.0  # [?]
_BOUNDS = [_SCALE * _GROWTH**power for power in range(_FINITE_BUCKETS + 1)]


@dataclass(frozen=True, slots=True)
class Metric:
    """A kind DELTA metric: its value over a period comes from the requests finished in it."""

    type: str
    value_type: int
    unit: str
    value: Callable[[Sequence[Request]], TypedValue]


def labels(request: Request) -> dict[str, str]:
    """The labels of the metric, the same for both."""
    status = str(request.status)
    return {"response_code": status, "response_code_class": f"{status[0]}xx"}


def _count(requests: Sequence[Request]) -> TypedValue:
    return TypedValue(int64_value=len(requests))


def _latencies(requests: Sequence[Request]) -> TypedValue:
    return TypedValue(
        distribution_value=_distribution(
            [request.latency / timedelta(milliseconds=1) for request in requests]
        )
    )


def _distribution(values: Sequence[float]) -> Distribution:
    mean = fsum(values) / len(values)
    counts = [0] * (_FINITE_BUCKETS + 2)
    for value in values:
        counts[bisect_right(_BOUNDS, value)] += 1
    distribution = Distribution(
        count=len(values),
        mean=mean,
        sum_of_squared_deviation=fsum((value - mean) ** 2 for value in values),
        bucket_counts=counts,
    )
    buckets = distribution.bucket_options.exponential_buckets
    buckets.num_finite_buckets = _FINITE_BUCKETS
    buckets.growth_factor, buckets.scale = _GROWTH, _SCALE
    return distribution


METRICS: Mapping[str, Metric] = {
    metric.type: metric
    for metric in (
        Metric("run.googleapis.com/request_count", MetricDescriptor.INT64, "1", _count),
        Metric(
            "run.googleapis.com/request_latencies", MetricDescriptor.DISTRIBUTION, "ms", _latencies
        ),
    )
}
