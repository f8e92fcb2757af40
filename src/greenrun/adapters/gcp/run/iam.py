"""Who may call a service of Cloud Run."""

from google.cloud.run_v2 import ServicesClient
from google.iam.v1 import iam_policy_pb2, options_pb2, policy_pb2

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, PATIENT, refused

_INVOKER, _EVERYBODY = "roles/run.invoker", "allUsers"
_HINT = "see that the service is there, and who may call it by now"
_FORBIDDEN = (
    f"see whether a policy of the organization forbids {_EVERYBODY} "
    "(constraints/iam.allowedPolicyMemberDomains)"
)


class Invokers:
    """The policy of one service, given by its full name."""

    def __init__(self, client: ServicesClient, service: str) -> None:
        self._client = client
        self._service = service

    def include_everybody(self) -> bool:
        """True when no identity is asked for, by grant or because the check is off."""
        with refused(f"read who may call {self._service} (GetIamPolicy)", _HINT):
            return bool(PATIENT(self._include_everybody)())

    def add_everybody(self) -> None:
        """Grant, keeping all other bindings; nothing changes where it stands already."""
        # IAM itself asks for the whole read-modify-write to be repeated when somebody came in
        # between; a change whose answer got lost is found to be there by the next reading.
        with refused(f"let everybody call {self._service} (SetIamPolicy)", _FORBIDDEN):
            PATIENT(self._add_everybody)()

    def _include_everybody(self) -> bool:
        live = self._client.get_service(name=self._service, retry=None, timeout=ANSWER_SECONDS)
        return live.invoker_iam_disabled or any(
            _grants(binding, _EVERYBODY) for binding in self._policy().bindings
        )

    def _add_everybody(self) -> None:
        policy = self._policy()
        if any(_grants(binding, _EVERYBODY) for binding in policy.bindings):
            return
        binding = next(filter(_is_plain_invoker, policy.bindings), None)
        binding = policy.bindings.add(role=_INVOKER) if binding is None else binding
        binding.members.append(_EVERYBODY)
        # The etag that was read goes back with the policy: another's change in between is refused.
        request = iam_policy_pb2.SetIamPolicyRequest(resource=self._service, policy=policy)
        self._client.set_iam_policy(request, timeout=ANSWER_SECONDS)

    def _policy(self) -> policy_pb2.Policy:
        # Below 3, conditional bindings come without their conditions, and would be lost.
        options = options_pb2.GetPolicyOptions(requested_policy_version=3)
        request = iam_policy_pb2.GetIamPolicyRequest(resource=self._service, options=options)
        return self._client.get_iam_policy(request, timeout=ANSWER_SECONDS)


def _grants(binding: policy_pb2.Binding, member: str) -> bool:
    return _is_plain_invoker(binding) and member in binding.members


def _is_plain_invoker(binding: policy_pb2.Binding) -> bool:
    return binding.role == _INVOKER and not binding.HasField("condition")
