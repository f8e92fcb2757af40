"""Who may call a service, by its IAM policy."""

from collections.abc import Iterable

from google.iam.v1 import policy_pb2

from cloudrun_emulator.core.interfaces import Guard
from cloudrun_emulator.identity.tokens import OWNER

ROLES = frozenset({"roles/run.invoker", "roles/run.admin"})
"""The predefined ones that hold run.routes.invoke.

Source: https://cloud.google.com/run/docs/reference/iam/roles
"""

EVERYBODY, AUTHENTICATED = "allUsers", "allAuthenticatedUsers"
_ACCOUNTS = ("user:", "serviceAccount:")


def guard(policy: policy_pb2.Policy, audiences: Iterable[str]) -> Guard | None:
    """Who may call; None where everybody may. The owner of the project always may.

    Groups and domains are nobody here: it is not known who is in them. Conditions of a binding are
    not looked at.
    """
    members = {
        member for binding in policy.bindings if binding.role in ROLES for member in binding.members
    }
    if EVERYBODY in members:
        return None
    accounts = (name.partition(":")[2] for name in members if name.startswith(_ACCOUNTS))
    return Guard(frozenset({OWNER, *accounts}), frozenset(audiences), AUTHENTICATED in members)
