"""Who may call, by a policy."""

import pytest
from google.iam.v1 import policy_pb2

from cloudrun_emulator.apis.run.services.routing import invoker_guard
from cloudrun_emulator.core.interfaces import Guard
from cloudrun_emulator.identity.tokens import OWNER


def policy(*members: str, role: str = "roles/run.invoker") -> policy_pb2.Policy:
    return policy_pb2.Policy(bindings=[policy_pb2.Binding(role=role, members=members)])


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        (policy(), Guard(frozenset({OWNER}))),
        (policy("user:a@x", "serviceAccount:b@x"), Guard(frozenset({OWNER, "a@x", "b@x"}))),
        (policy("serviceAccount:b@x", role="roles/run.admin"), Guard(frozenset({OWNER, "b@x"}))),
        (policy("serviceAccount:b@x", role="roles/run.viewer"), Guard(frozenset({OWNER}))),
        (policy("group:b@x", "domain:x", "deleted:user:a@x?uid=1"), Guard(frozenset({OWNER}))),
        (policy("allAuthenticatedUsers"), Guard(frozenset({OWNER}), anybody=True)),
        (policy("user:a@x", "allUsers"), None),
        (policy("allUsers", role="roles/run.viewer"), Guard(frozenset({OWNER}))),
    ],
)
def test_callers_are_the_accounts_that_are_granted_it(
    granted: policy_pb2.Policy, expected: Guard | None
) -> None:
    assert invoker_guard(granted, ()) == expected


def test_audiences_are_the_services_own() -> None:
    assert invoker_guard(policy(), ["shop"]) == Guard(frozenset({OWNER}), frozenset({"shop"}))
