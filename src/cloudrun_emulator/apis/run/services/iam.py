"""Who may call a service: its IAM policy."""

from uuid import uuid4

from google.iam.v1 import iam_policy_pb2, policy_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.run.services.reconciler import Reconciler
from cloudrun_emulator.apis.run.services.store import ServiceRecord, Store
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import ResourceName


class ServicePolicies:
    """The IAM methods that `google.cloud.run.v2.Services` has among its own."""

    def __init__(self, store: Store, rollouts: Reconciler) -> None:
        self._store = store
        self._rollouts = rollouts

    def get_iam_policy(self, request: iam_policy_pb2.GetIamPolicyRequest) -> policy_pb2.Policy:
        with self._store.lock:
            return clone(self._policed(request.resource).policy)

    def set_iam_policy(self, request: iam_policy_pb2.SetIamPolicyRequest) -> policy_pb2.Policy:
        """Replace the policy; takes effect at the ingress before it answers.

        Raises ABORTED when the policy carries an etag that is not the present one.
        """
        with self._store.lock:
            record = self._policed(request.resource)
            sent = request.policy.etag
            if sent and sent != record.policy.etag:
                raise CloudError(
                    StatusCode.ABORTED,
                    "There were concurrent policy changes. "
                    "Please retry the whole read-modify-write with exponential backoff.",
                )
            record.policy = clone(request.policy)
            record.policy.etag = uuid4().bytes[:8]
            answer = clone(record.policy)
        self._rollouts.refresh(record)
        return answer

    def test_iam_permissions(
        self, request: iam_policy_pb2.TestIamPermissionsRequest
    ) -> iam_policy_pb2.TestIamPermissionsResponse:
        """Whoever reaches the local cloud owns it: every permission that was asked about."""
        with self._store.lock:
            self._policed(request.resource)
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=request.permissions)

    def _policed(self, resource: str) -> ServiceRecord:
        return self._store.find(ResourceName.parse(resource, "services"))
