"""Alert policies in Cloud Monitoring: found by their labels, compared field by field."""

from collections.abc import Iterable, Mapping, Sequence

from google.cloud.monitoring_v3.types import AlertPolicy, UpdateAlertPolicyRequest
from google.protobuf.field_mask_pb2 import FieldMask

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, PATIENT, TRANSIENT, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.monitoring.alert_policies import MANAGED, differences, policy_of
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces.alerting import Policy
from greenrun.model.monitoring import Alert
from greenrun.model.plan import Location

_ATTEMPTS = 3
"""To create a policy: each looks first whether the one before it was carried out after all."""


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
        missing = differences(policy, self._wanted(alert))
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
            alert_policy=wanted, update_mask=FieldMask(paths=list(MANAGED))
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
        return policy_of(alert, self._place, self._service, self._labels(alert))

    def _labelled(self, alert: Alert) -> Sequence[AlertPolicy]:
        labels = self._labels(alert)
        return [
            policy for policy in self._all() if labels.items() <= dict(policy.user_labels).items()
        ]

    def _all(self) -> Iterable[AlertPolicy]:
        name = f"projects/{self._place.project}"
        with refused(f"list the alert policies of {name}"):
            return list(
                self._clients.alerts.list_alert_policies(
                    name=name, retry=PATIENT, timeout=ANSWER_SECONDS
                )
            )

    def _labels(self, alert: Alert) -> Mapping[str, str]:
        return {
            "greenrun_service": self._service,
            "greenrun_region": self._place.region,
            "greenrun_measure": alert.threshold.measure.replace(" ", "-"),
        }
