"""IAM on services: who may call them."""

import httpx
import pytest
from google.api_core import exceptions
from google.iam.v1 import policy_pb2

from tests.contract.caller import PUBLIC, Caller, latest, short


def test_a_service_is_closed_until_somebody_may_invoke_it(caller: Caller) -> None:
    service = caller.create(traffic=[latest(100, "next")])
    addresses = [service.uri, service.traffic_statuses[0].uri]
    assert [httpx.get(address).status_code for address in addresses] == [403, 403]
    caller.grant(PUBLIC)
    assert [httpx.get(address).status_code for address in addresses] == [200, 200]
    caller.grant()
    assert [httpx.get(address).status_code for address in addresses] == [403, 403]


@pytest.mark.parametrize(
    "binding",
    [
        policy_pb2.Binding(role="roles/run.invoker", members=["user:somebody@example.org"]),
        policy_pb2.Binding(role="roles/run.viewer", members=["allUsers"]),
    ],
)
def test_only_the_invoker_role_of_all_users_opens_a_service(
    caller: Caller, binding: policy_pb2.Binding
) -> None:
    uri = caller.create().uri
    caller.grant(binding)
    assert httpx.get(uri).status_code == 403


def test_a_service_without_the_check_is_open(caller: Caller) -> None:
    uri = caller.create(invoker_iam_disabled=True).uri
    assert httpx.get(uri).status_code == 200
    caller.update("invoker_iam_disabled", invoker_iam_disabled=False)
    assert httpx.get(uri).status_code == 403


def test_a_policy_is_kept_until_it_is_replaced(caller: Caller) -> None:
    caller.create()
    assert list(caller.services.get_iam_policy({"resource": caller.service_name}).bindings) == []
    kept = caller.grant(PUBLIC)
    assert list(kept.bindings) == [PUBLIC]
    assert caller.services.get_iam_policy({"resource": caller.service_name}) == kept


def test_a_policy_survives_deploys(caller: Caller) -> None:
    caller.create()
    caller.grant(PUBLIC)
    service = caller.update("template", template=caller.template(COLOUR="blue"))
    answer = httpx.get(service.uri)
    assert answer.json()["revision"] == short(service.latest_ready_revision)


def test_a_stale_policy_is_a_conflict(caller: Caller) -> None:
    caller.create()
    stale = caller.services.get_iam_policy({"resource": caller.service_name})
    caller.grant(PUBLIC)
    with pytest.raises(exceptions.Conflict, match="concurrent policy changes"):
        caller.services.set_iam_policy({"resource": caller.service_name, "policy": stale})


def test_whoever_calls_has_every_permission(caller: Caller) -> None:
    caller.create()
    request = {"resource": caller.service_name, "permissions": ["run.services.update"]}
    answer = caller.services.test_iam_permissions(request)
    assert list(answer.permissions) == ["run.services.update"]


def test_a_missing_service_has_no_policy(caller: Caller) -> None:
    with pytest.raises(exceptions.NotFound, match="of kind 'SERVICE'"):
        caller.services.get_iam_policy({"resource": caller.service_name})
