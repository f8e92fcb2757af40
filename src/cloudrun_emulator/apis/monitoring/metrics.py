"""The metrics of Cloud Run that are measured here, and which of their series a filter selects.

Source: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from google.api.distribution_pb2 import Distribution
from google.api.metric_pb2 import MetricDescriptor
from google.cloud.monitoring_v3.types import TypedValue
from grpc import StatusCode

from cloudrun_emulator.apis.listing import Comparison, Predicate, compile_filter
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.resource_names import invalid

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


RESOURCE_TYPE = "cloud_run_revision"
RESOURCE_LABELS = (
    "project_id",
    "location",
    "service_name",
    "configuration_name",
    "revision_name",
)
FIELDS = frozenset(
    {f"metric.labels.{name}" for name in LABELS}
    | {f"resource.labels.{name}" for name in RESOURCE_LABELS}
)

Series = Mapping[str, str]
"""The values of FIELDS that identify a time series of a metric."""

_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda actual, wanted: actual == wanted,
    "!=": lambda actual, wanted: actual != wanted,
    ":": lambda actual, wanted: wanted in actual,
}


@dataclass(frozen=True, slots=True)
class SeriesSelection:
    """A metric, and a predicate of its series."""

    metric: Metric
    holds: Predicate[Series]


def select_series(text: str) -> SeriesSelection:
    """Raise INVALID_ARGUMENT for what is not understood, NOT_FOUND for an unknown metric.

    A filter has to name exactly one metric type.
    Source: https://cloud.google.com/monitoring/api/v3/filters
    """
    types: set[str] = set()
    holds = compile_filter(text, lambda comparison: _series_predicate(comparison, types))
    if len(types) != 1:
        raise invalid(f'The filter must have metric.type = "..." for exactly one metric: {text}')
    return SeriesSelection(_metric(types.pop()), holds)


def _metric(metric_type: str) -> Metric:
    if metric_type not in METRICS:
        message = f'Cannot find metric(s) that match type = "{metric_type}".'
        raise CloudError(StatusCode.NOT_FOUND, message)
    return METRICS[metric_type]


def _series_predicate(comparison: Comparison, types: set[str]) -> Predicate[Series]:
    if comparison.field == "metric.type" and comparison.operator == "=":
        types.add(comparison.value)
        return lambda _: True
    test = _TESTS.get(comparison.operator)
    if test is None:
        raise invalid(f"Only =, != and : compare labels: {comparison}")
    if comparison.field == "resource.type":
        answer = test(RESOURCE_TYPE, comparison.value)
        return lambda _: answer
    field = field_named(comparison.field)
    return lambda series: test(series.get(field, ""), comparison.value)


def field_named(name: str) -> str:
    """The member of FIELDS that `name` means; `label` is another spelling of `labels`."""
    field = name.replace(".label.", ".labels.", 1)
    if field not in FIELDS:
        raise invalid(f"Unknown field: {name}")
    return field
