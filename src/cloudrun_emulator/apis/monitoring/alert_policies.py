"""Alert policies: kept and judged for their form, and never evaluated."""

from collections.abc import Sequence
from secrets import randbelow
from threading import RLock

from google.cloud.monitoring_v3.types import (
    AlertPolicy,
    CreateAlertPolicyRequest,
    DeleteAlertPolicyRequest,
    GetAlertPolicyRequest,
    ListAlertPoliciesRequest,
    ListAlertPoliciesResponse,
    MutationRecord,
    UpdateAlertPolicyRequest,
)
from google.protobuf.empty_pb2 import Empty
from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode

from cloudrun_emulator.apis.listing import Comparison, Predicate, compile_filter, paginate
from cloudrun_emulator.apis.monitoring.policy_form import check_policy
from cloudrun_emulator.apis.monitoring.series import project_named
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import clone, raw
from cloudrun_emulator.core.resource_names import invalid
from cloudrun_emulator.core.time import now
from cloudrun_emulator.server.calls import caller

_IDS = 10**19  # [?] numbers of up to 20 digits were seen
_GIVEN = frozenset({"name", "validity", "creation_record", "mutation_record"})
"""Fields that the server alone sets, whatever a mask says."""


class AlertPolicies:
    """`AlertPolicyService` of every project.

    Source: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies
    """

    def __init__(self) -> None:
        self._policies: dict[str, AlertPolicy] = {}
        self._lock = RLock()

    def __repr__(self) -> str:
        return f"AlertPolicies({len(self._policies)})"

    def create_alert_policy(self, request: CreateAlertPolicyRequest) -> AlertPolicy:
        """Keep a policy under a number of its own; two may look the same."""
        parent = f"projects/{project_named(request.name)}"
        policy = clone(request.alert_policy)
        check_policy(policy)
        policy.name = f"{parent}/alertPolicies/{randbelow(_IDS)}"
        policy.creation_record = policy.mutation_record = _record()
        with self._lock:
            return self._keep(policy)

    def get_alert_policy(self, request: GetAlertPolicyRequest) -> AlertPolicy:
        with self._lock:
            return clone(self._found(request.name))

    def list_alert_policies(self, request: ListAlertPoliciesRequest) -> ListAlertPoliciesResponse:
        """List by name; a filter knows `name`, `display_name` and `user_labels`."""
        prefix = f"projects/{project_named(request.name)}/"
        if request.order_by not in {"", "name"}:
            raise CloudError(StatusCode.UNIMPLEMENTED, f"order_by: {request.order_by}")
        selected = compile_filter(request.filter, _term)
        with self._lock:
            found = [clone(one) for name, one in sorted(self._policies.items())]
        matching = [one for one in found if one.name.startswith(prefix) and selected(one)]
        some, token = paginate(matching, request.page_size, request.page_token)
        return ListAlertPoliciesResponse(
            alert_policies=some, next_page_token=token, total_size=len(matching)
        )

    def update_alert_policy(self, request: UpdateAlertPolicyRequest) -> AlertPolicy:
        """The fields of the mask are replaced; without one, the whole policy."""
        with self._lock:
            current = self._found(request.alert_policy.name)
            mask = FieldMask(paths=_paths(UpdateAlertPolicyRequest.pb(request).update_mask.paths))
            updated = clone(current)
            mask.MergeMessage(
                raw(request.alert_policy),
                raw(updated),
                replace_message_field=True,
                replace_repeated_field=True,
            )
            check_policy(updated)
            updated.mutation_record = _record()
            return self._keep(updated)

    def delete_alert_policy(self, request: DeleteAlertPolicyRequest) -> Empty:
        with self._lock:
            del self._policies[self._found(request.name).name]
        return Empty()

    def _found(self, name: str) -> AlertPolicy:
        if name not in self._policies:
            project, _, policy = name.removeprefix("projects/").partition("/alertPolicies/")
            if not (name.startswith("projects/") and project and policy):
                raise invalid(f"name: expected projects/*/alertPolicies/*, got '{name}'.")
            raise CloudError(StatusCode.NOT_FOUND, f"The requested policy '{name}' was not found.")
        return self._policies[name]

    def _keep(self, policy: AlertPolicy) -> AlertPolicy:
        """Store the policy with what the server fills in."""
        if "enabled" not in policy:
            raw(policy).enabled.value = True
        if policy.documentation.content and not policy.documentation.mime_type:
            policy.documentation.mime_type = "text/markdown"
        for condition in policy.conditions:
            if not condition.name.startswith(f"{policy.name}/conditions/"):
                condition.name = f"{policy.name}/conditions/{randbelow(_IDS)}"
        self._policies[policy.name] = policy
        return clone(policy)


def _record() -> MutationRecord:
    return MutationRecord(mutate_time=now(), mutated_by=caller())


def _paths(asked: Sequence[str]) -> list[str]:
    fields = AlertPolicy.pb().DESCRIPTOR
    if not asked:
        return sorted({field.name for field in fields.fields} - _GIVEN)
    if not FieldMask(paths=asked).IsValidForDescriptor(fields):
        raise invalid(f"Invalid update mask '{','.join(asked)}'.")
    return [path for path in asked if path.partition(".")[0] not in _GIVEN]


def _term(comparison: Comparison) -> Predicate[AlertPolicy]:
    """Compile a comparison of `name`, `display_name` or `user_labels`."""
    if comparison.operator not in {"=", ":"}:
        raise invalid(f"Only = and : compare policies: {comparison}")
    field, _, key = comparison.field.partition(".")
    if field in {"name", "display_name"} and not key:
        return lambda policy: _holds(getattr(policy, field), comparison)
    if field == "user_labels":
        if not key:
            return lambda policy: comparison.value in policy.user_labels
        return lambda policy: _holds(policy.user_labels.get(key, ""), comparison)
    raise invalid(f"Unknown field: {comparison.field}")


def _holds(text: str, comparison: Comparison) -> bool:
    whole = comparison.operator == "="
    return text == comparison.value if whole else comparison.value in text
