"""Alerts as Cloud Monitoring's policies, and how a policy differs from what it has to be.

Sources: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies,
https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from google.cloud.monitoring_v3.types import Aggregation, AlertPolicy, ComparisonType
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict

from greenrun.model.interfaces.alerting import Difference
from greenrun.model.monitoring import Alert
from greenrun.model.objective import Threshold
from greenrun.model.plan import Location

MANAGED = ("combiner", "conditions", "display_name", "documentation", "enabled")
"""The fields that are compared, and overwritten where people want that; others are people's own."""

_COUNT = "run.googleapis.com/request_count"
_LATENCIES = "run.googleapis.com/request_latencies"
_MEMORY = "run.googleapis.com/container/memory/utilizations"
_MINUTE = Duration(seconds=60)
_Aligner, _Reducer = Aggregation.Aligner, Aggregation.Reducer
_QUANTILES = {
    "p50 latency": _Reducer.REDUCE_PERCENTILE_50,
    "p95 latency": _Reducer.REDUCE_PERCENTILE_95,
    "p99 latency": _Reducer.REDUCE_PERCENTILE_99,
}
_RATE = Aggregation(
    alignment_period=_MINUTE,
    per_series_aligner=_Aligner.ALIGN_RATE,
    cross_series_reducer=_Reducer.REDUCE_SUM,
)
_FULLEST = Aggregation(
    alignment_period=_MINUTE,
    per_series_aligner=_Aligner.ALIGN_PERCENTILE_99,
    cross_series_reducer=_Reducer.REDUCE_MAX,
)
_COMPARISONS = {
    "at most": ComparisonType.COMPARISON_GT,
    "at least": ComparisonType.COMPARISON_LT,
}
_ABSENT = "nothing"


def policy_of(
    alert: Alert, place: Location, service: str, labels: Mapping[str, str]
) -> AlertPolicy:
    """The policy of an alert, as it is sent: without a name, and without channels.

    Raises:
        ValueError: the platform has no metric for the alert's measure.
    """
    broken = AlertPolicy.Condition.MetricThreshold(
        **_measured(alert.threshold, _series(place, service)),
        comparison=_COMPARISONS[alert.threshold.relation],
        duration=Duration(seconds=round(alert.lasting.total_seconds())),
        trigger=AlertPolicy.Condition.Trigger(count=1),
    )
    condition = AlertPolicy.Condition(display_name=str(alert), condition_threshold=broken)
    return AlertPolicy(
        display_name=f"{service} ({place.region}): {alert}",
        documentation=AlertPolicy.Documentation(
            content=_instructions(alert, service), mime_type="text/markdown"
        ),
        conditions=[condition],
        combiner=AlertPolicy.ConditionCombinerType.OR,
        enabled=True,
        user_labels=labels,
    )


def differences(found: AlertPolicy, wanted: AlertPolicy) -> tuple[Difference, ...]:
    """The managed fields that differ, each by its path; names from the server do not count."""
    got, needs = _leaves(found), _leaves(wanted)
    return tuple(
        Difference(path, got.get(path, _ABSENT), needs.get(path, _ABSENT))
        for path in sorted(got.keys() | needs.keys())
        if got.get(path) != needs.get(path)
    )


def _measured(threshold: Threshold, series: str) -> Mapping[str, Any]:
    """The fields of a MetricThreshold that say what is compared with which number."""
    measure, limit = threshold.measure, threshold.limit.value
    if measure == "error rate":
        requests = f'metric.type="{_COUNT}" AND {series}'
        return {
            "filter": f'{requests} AND metric.labels.response_code_class="5xx"',
            "aggregations": [_RATE],
            "denominator_filter": requests,
            "denominator_aggregations": [_RATE],
            "threshold_value": limit / 100,
        }
    if measure in _QUANTILES:
        quantile = Aggregation(
            alignment_period=_MINUTE,
            per_series_aligner=_Aligner.ALIGN_DELTA,
            cross_series_reducer=_QUANTILES[measure],
        )
        return {
            "filter": f'metric.type="{_LATENCIES}" AND {series}',
            "aggregations": [quantile],
            "threshold_value": limit,
        }
    if measure == "memory":
        return {
            "filter": f'metric.type="{_MEMORY}" AND {series}',
            "aggregations": [_FULLEST],
            "threshold_value": limit / 100,
        }
    raise ValueError(f"got an alert by {measure}, needs a measure of Cloud Run's metrics")


def _series(place: Location, service: str) -> str:
    terms = {
        "resource.type": "cloud_run_revision",
        "resource.labels.service_name": service,
        "resource.labels.location": place.region,
    }
    return " AND ".join(f"{field}={json.dumps(value)}" for field, value in terms.items())


def _instructions(alert: Alert, service: str) -> str:
    return (
        f"{service} needs {alert.threshold.measure} {alert.threshold.relation} "
        f"{alert.threshold.limit}. Compare the revisions that serve; to go back to the one before: "
        "`pytest features/07-rollback.feature --env=ENVIRONMENT`.\n\n"
        "Written by greenrun from the objectives of its releases; change it there."
    )


def _leaves(policy: AlertPolicy) -> dict[str, str]:
    message = MessageToDict(AlertPolicy.pb(policy), preserving_proto_field_name=True)
    managed = {field: message[field] for field in MANAGED if field in message}
    return dict(_flat(managed, ""))


def _flat(value: object, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, inner in value.items():
                if not (key == "name" and path.startswith("conditions[")):
                    yield from _flat(inner, f"{path}.{key}" if path else key)
        case list():
            for number, inner in enumerate(value):
                yield from _flat(inner, f"{path}[{number}]")
        case _:
            yield path, json.dumps(value)
