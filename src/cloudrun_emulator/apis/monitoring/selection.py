"""Which time series a filter of the Monitoring API selects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grpc import StatusCode

from cloudrun_emulator.apis.filters import Comparison, Predicate, compile_filter
from cloudrun_emulator.apis.monitoring.metrics import LABELS, METRICS, Metric
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.resource_names import invalid

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
"""What identifies a time series of a metric: the values of FIELDS, as far as it has them."""

_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda actual, wanted: actual == wanted,
    "!=": lambda actual, wanted: actual != wanted,
    ":": lambda actual, wanted: wanted in actual,
}


@dataclass(frozen=True, slots=True)
class Selection:
    """One metric, and which of its series."""

    metric: Metric
    holds: Predicate[Series]


def select(text: str) -> Selection:
    """Raise INVALID_ARGUMENT for what is not understood, NOT_FOUND for an unknown metric.

    A filter has to name exactly one metric type.
    Source: https://cloud.google.com/monitoring/api/v3/filters
    """
    types: set[str] = set()
    holds = compile_filter(text, lambda comparison: _predicate(comparison, types))
    if len(types) != 1:
        raise invalid(f'The filter must have metric.type = "..." for exactly one metric: {text}')
    return Selection(_metric(types.pop()), holds)


def _metric(metric_type: str) -> Metric:
    if metric_type not in METRICS:
        message = f'Cannot find metric(s) that match type = "{metric_type}".'
        raise CloudError(StatusCode.NOT_FOUND, message)
    return METRICS[metric_type]


def _predicate(comparison: Comparison, types: set[str]) -> Predicate[Series]:
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
