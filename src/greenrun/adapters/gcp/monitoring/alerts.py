"""Alert policies in Cloud Monitoring: found by their labels, compared field by field.

Source: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from google.cloud.monitoring_v3.types import (
    Aggregation,
    AlertPolicy,
    ComparisonType,
    UpdateAlertPolicyRequest,
)
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToDict

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, PATIENT, TRANSIENT, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.monitoring.metrics import METRICS, series_of
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces.alerting import Policy, PolicyDifference
from greenrun.model.monitoring import Alert
from greenrun.model.objective import Threshold
from greenrun.model.plan import Location

_ATTEMPTS = 3
"""To create a policy: each looks first whether the one before it was carried out after all."""

_MOST_POLICIES = 10_000
"""Policies of a project that are read; Google allows 500, or 2,000 on request."""

_MANAGED = ("combiner", "conditions", "display_name", "documentation", "enabled")
"""The fields that are compared, and overwritten where people want that; others are people's own."""

_MINUTE = Duration(seconds=60)
_COMPARISONS = {
    "at most": ComparisonType.COMPARISON_GT,
    "at least": ComparisonType.COMPARISON_LT,
}
_ABSENT = "nothing"


class CloudAlerts:
    """The alert policies of one service.

    They are known by user labels, whatever people call them. All are listed and the labels are
    looked at here: a project has some hundreds at most.
    """

    def __init__(self, clients: GoogleClients, place: Location, service: str) -> None:
        self._clients = clients
        self._place = place
        self._service = service

    def find(self, alert: Alert) -> Policy | None:
        """One reading of the policy; raises CallFailed where several carry its labels."""
        found = self._labelled(alert)
        if not found:
            return None
        if len(found) > 1:
            names = ", ".join(policy.name for policy in found)
            raise CallFailed(
                f"could not tell which alert policy is that of {alert}: got {names}, needs one",
                hint="delete all but one of them",
            )
        policy = found[0]
        missing = _differences(policy, self._wanted(alert))
        return Policy(policy.name, missing, tuple(policy.notification_channels))

    def create(self, alert: Alert) -> None:
        """Create it, once: where an answer was lost, the policy is looked for before another."""
        what = f"create the alert policy for {alert}"
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with refused(what):
                    self._create(alert)
            except CallFailed as failed:
                if not isinstance(failed.__cause__, TRANSIENT):
                    raise
                if self._labelled(alert):
                    return
                if attempt == _ATTEMPTS:
                    raise
            else:
                return

    def overwrite(self, policy: Policy, alert: Alert) -> None:
        """Replace what greenrun says; channels, strategy, severity and other labels stay."""
        wanted = self._wanted(alert)
        wanted.name = policy.name
        request = UpdateAlertPolicyRequest(
            alert_policy=wanted, update_mask=FieldMask(paths=list(_MANAGED))
        )
        with refused(f"overwrite {policy.name}"):
            self._clients.alerts.update_alert_policy(request, retry=PATIENT, timeout=ANSWER_SECONDS)

    def _create(self, alert: Alert) -> None:
        self._clients.alerts.create_alert_policy(
            name=f"projects/{self._place.project}",
            alert_policy=self._wanted(alert),
            retry=None,
            timeout=ANSWER_SECONDS,
        )

    def _wanted(self, alert: Alert) -> AlertPolicy:
        return _policy_of(alert, self._place, self._service, self._labels(alert))

    def _labelled(self, alert: Alert) -> Sequence[AlertPolicy]:
        labels = self._labels(alert)
        return [
            policy for policy in self._all() if labels.items() <= dict(policy.user_labels).items()
        ]

    def _all(self) -> Sequence[AlertPolicy]:
        name = f"projects/{self._place.project}"
        with refused(f"list the alert policies of {name}"):
            found = self._clients.alerts.list_alert_policies(
                name=name, retry=PATIENT, timeout=ANSWER_SECONDS
            )
            return list(islice(found, _MOST_POLICIES))

    def _labels(self, alert: Alert) -> Mapping[str, str]:
        return {
            "greenrun_service": self._service,
            "greenrun_region": self._place.region,
            "greenrun_measure": alert.threshold.measure.replace(" ", "-"),
        }


def _policy_of(
    alert: Alert, place: Location, service: str, labels: Mapping[str, str]
) -> AlertPolicy:
    """The policy of an alert, as it is sent: without a name, and without channels.

    Raises:
        ValueError: the platform has no metric for the alert's measure.
    """
    broken = AlertPolicy.Condition.MetricThreshold(
        **_measured(alert.threshold, series_of(place, service)),
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


def _differences(found: AlertPolicy, wanted: AlertPolicy) -> tuple[PolicyDifference, ...]:
    """The managed fields that differ, each by its path; names from the server do not count."""
    got, needs = _leaves(found), _leaves(wanted)
    return tuple(
        PolicyDifference(path, got.get(path, _ABSENT), needs.get(path, _ABSENT))
        for path in sorted(got.keys() | needs.keys())
        if got.get(path) != needs.get(path)
    )


def _measured(threshold: Threshold, series: str) -> Mapping[str, Any]:
    """The fields of a MetricThreshold that say what is compared with which number."""
    metric = METRICS.get(threshold.measure)
    if metric is None:
        raise ValueError(
            f"got an alert by {threshold.measure}, needs a measure of Cloud Run's metrics"
        )
    aggregation = Aggregation(
        alignment_period=_MINUTE,
        per_series_aligner=metric.aligner,
        cross_series_reducer=metric.reducer,
    )
    every = f'metric.type="{metric.type}" AND {series}'
    compared = {
        "filter": f"{every} AND {metric.where}" if metric.where else every,
        "aggregations": [aggregation],
        "threshold_value": threshold.limit.value / metric.scale,
    }
    if not metric.of_all:
        return compared
    return {**compared, "denominator_filter": every, "denominator_aggregations": [aggregation]}


def _instructions(alert: Alert, service: str) -> str:
    return (
        f"{service} needs {alert.threshold.measure} {alert.threshold.relation} "
        f"{alert.threshold.limit}. Compare the revisions that serve; to go back to the one before: "
        "`pytest features/07-rollback.feature --env=ENVIRONMENT`.\n\n"
        "Written by greenrun from the objectives of its releases; change it there."
    )


def _leaves(policy: AlertPolicy) -> dict[str, str]:
    message = MessageToDict(AlertPolicy.pb(policy), preserving_proto_field_name=True)
    managed = {field: message[field] for field in _MANAGED if field in message}
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
