"""The form of an alert policy, and the refusals of what is none.

The wording `Field F had an invalid value of "V": WHY` and the reasons follow what clients of the
real service report; [?] marks those that nobody was seen to quote.
"""

import json
import re
from collections.abc import Iterator, Sequence

from google.api.metric_pb2 import MetricDescriptor
from google.cloud.monitoring_v3.types import Aggregation, AlertPolicy, ComparisonType
from google.protobuf.duration_pb2 import Duration

from cloudrun_emulator.apis.listing import Comparison, Predicate, compile_filter
from cloudrun_emulator.apis.monitoring.metrics import Metric, select_series
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.resource_names import invalid

_Condition = AlertPolicy.Condition
_Aligner, _Reducer = Aggregation.Aligner, Aggregation.Reducer
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_MOST_CONDITIONS, _MOST_LABELS, _LONGEST_NAME = 6, 64, 512
_COMPARED_BY = {ComparisonType.COMPARISON_GT, ComparisonType.COMPARISON_LT}
_TO_NUMBERS = {
    _Aligner.ALIGN_COUNT,
    _Aligner.ALIGN_PERCENTILE_99,
    _Aligner.ALIGN_PERCENTILE_95,
    _Aligner.ALIGN_PERCENTILE_50,
    _Aligner.ALIGN_PERCENTILE_05,
}
_REDUCED_TO_NUMBERS = {
    _Reducer.REDUCE_COUNT,
    _Reducer.REDUCE_MEAN,
    _Reducer.REDUCE_PERCENTILE_99,
    _Reducer.REDUCE_PERCENTILE_95,
    _Reducer.REDUCE_PERCENTILE_50,
    _Reducer.REDUCE_PERCENTILE_05,
}
_OF_DISTRIBUTIONS = _TO_NUMBERS | {_Aligner.ALIGN_DELTA, _Aligner.ALIGN_SUM}


def check_policy(policy: AlertPolicy) -> None:
    """Raise INVALID_ARGUMENT for what is no policy; NOT_FOUND for a metric that nobody knows."""
    for refusal in _refusals(policy):
        raise refusal
    for number, condition in enumerate(policy.conditions):
        _check_condition(condition, f"alert_policy.conditions[{number}]")


def _refusals(policy: AlertPolicy) -> Iterator[CloudError]:
    if not 0 < len(policy.display_name) <= _LONGEST_NAME:
        yield _invalid_field(
            "alert_policy.display_name", policy.display_name, "needs 1 to 512 letters"
        )
    if not policy.combiner:
        why = "The combiner must be set."  # [?]
        yield _invalid_field("alert_policy.combiner", policy.combiner.name, why)
    if not 0 < len(policy.conditions) <= _MOST_CONDITIONS:
        why = f"A policy must have 1 to {_MOST_CONDITIONS} conditions."  # [?]
        yield _invalid_field("alert_policy.conditions", str(len(policy.conditions)), why)
    if policy.alert_strategy.notification_rate_limit:
        why = "metric-based alert policies must not specify a notification rate limit"
        yield _invalid_field("alertStrategy.notificationRateLimit", "period", why)
    if len(policy.user_labels) > _MOST_LABELS:
        yield _invalid_field("alert_policy.user_labels", str(len(policy.user_labels)), "at most 64")
    for key, value in policy.user_labels.items():
        if not (_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value)):
            why = "lowercase letters, numerals, underscores and dashes; keys begin with a letter"
            yield _invalid_field("alert_policy.user_labels", f"{key}={value}", why)


def _check_condition(condition: _Condition, field: str) -> None:
    kind = _Condition.pb(condition).WhichOneof("condition")
    if kind is None:
        why = (
            'Condition subtype (e.g. "condition_absent", "condition_threshold", etc.) is absent or '
            "unknown."
        )
        raise _invalid_field(f"{field}.condition_case", "0", why)
    if not condition.display_name:
        raise _invalid_field(
            f"{field}.display_name", "", "A condition must have a display name."
        )  # [?]
    if kind != "condition_threshold":
        raise invalid(f"{field}: only condition_threshold is understood here, got {kind}.")
    _check_threshold(condition.condition_threshold, f"{field}.condition_threshold")


def _check_threshold(threshold: _Condition.MetricThreshold, field: str) -> None:
    form = _Condition.MetricThreshold.pb(threshold)
    if threshold.comparison not in _COMPARED_BY:
        why = "only COMPARISON_GT and COMPARISON_LT are supported"
        raise _invalid_field(f"{field}.comparison", threshold.comparison.name, why)
    if not _whole_minutes(form.duration):
        shown = form.duration.ToJsonString()
        raise _invalid_field(f"{field}.duration", shown, "only multiples of 1 minute are supported")
    if threshold.evaluation_missing_data and not form.duration.seconds:
        name = threshold.evaluation_missing_data.name
        why = "Conditions setting evaluation_missing_data must have a non-zero duration."
        raise _invalid_field(f"{field}.evaluation_missing_data", name, why)
    _check_series(threshold.filter, threshold.aggregations, field, "")
    if threshold.denominator_filter:
        _check_series(
            threshold.denominator_filter, threshold.denominator_aggregations, field, "denominator_"
        )


def _check_series(text: str, aggregations: Sequence[Aggregation], field: str, which: str) -> None:
    if not _names_resource(text):
        why = 'must specify a restriction on "resource.type" in the filter'
        raise _invalid_field(f"{field}.{which}filter", text, why)
    metric = select_series(text).metric
    for number, aggregation in enumerate(aggregations):
        period = Aggregation.pb(aggregation).alignment_period
        if not _whole_minutes(period) or not period.seconds:
            shown = json.dumps({"seconds": period.seconds}, separators=(",", ":"))
            why = "alignment period must be in multiples of one minute"
            place = f"{field}.{which}aggregations[{number}].alignment_period"
            raise _invalid_field(place, shown, why)
    _check_numbers(metric, aggregations, f"{field}.{which}aggregations")


def _check_numbers(metric: Metric, aggregations: Sequence[Aggregation], field: str) -> None:
    """Check that what the threshold is compared with are numbers, not distributions."""
    if metric.value_type != MetricDescriptor.DISTRIBUTION:
        return
    first = aggregations[0] if aggregations else Aggregation()
    aligner = first.per_series_aligner
    if aggregations and aligner not in _OF_DISTRIBUTIONS:
        why = (
            "The aligner cannot be applied to metrics with kind DELTA and value type DISTRIBUTION."
        )
        raise _invalid_field("aggregation.perSeriesAligner", aligner.name, why)
    if aligner not in _TO_NUMBERS and first.cross_series_reducer not in _REDUCED_TO_NUMBERS:
        why = "The aggregated series must be numeric, not of value type DISTRIBUTION."  # [?]
        raise _invalid_field(field, aligner.name, why)


def _names_resource(text: str) -> bool:
    named: list[str] = []

    def term(comparison: Comparison) -> Predicate[object]:
        named.append(comparison.field)
        return lambda _: True

    compile_filter(text, term)
    return "resource.type" in named


def _whole_minutes(duration: Duration) -> bool:
    return duration.seconds >= 0 and not duration.seconds % 60 and not duration.nanos


def _invalid_field(field: str, value: str, why: str) -> CloudError:
    return invalid(f'Field {field} had an invalid value of "{value}": {why}')
