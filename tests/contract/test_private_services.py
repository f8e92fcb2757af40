"""Services that not everybody may call: identity tokens, and who is refused without a good one."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from google.iam.v1 import policy_pb2

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.identity.tokens import OWNER, Issuer
from tests.contract.caller import PUBLIC, Caller, latest

ROBOT = "robot@shop.iam.gserviceaccount.com"
INVOKED_BY_ROBOT = policy_pb2.Binding(role="roles/run.invoker", members=[f"serviceAccount:{ROBOT}"])
STRIPPED = "SIGNATURE_REMOVED_BY_GOOGLE"


@pytest.fixture(scope="module", params=["in-process"])
def runtime_name(request: pytest.FixtureRequest) -> str:
    """The ingress is the same before all of them."""
    return str(request.param)


@pytest.fixture(params=["grpc"])
def transport(request: pytest.FixtureRequest) -> str:
    """What is tried here is on neither."""
    return str(request.param)


def bearer(token: str, header: str = "Authorization") -> dict[str, str]:
    return {header: f"Bearer {token}"}


def ask(url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False)


def test_a_caller_with_a_token_is_served_without_its_signature(
    caller: Caller, cloud: LocalCloud
) -> None:
    url = caller.create().uri
    token = cloud.issuer.token(OWNER, url)
    answer = ask(url, bearer(token))
    assert answer.status_code == 200
    shown = answer.json()["headers"]["authorization"]
    assert shown == f"Bearer {token.rpartition('.')[0]}.{STRIPPED}"


def test_a_service_keeps_the_authorization_header_for_itself(
    caller: Caller, cloud: LocalCloud
) -> None:
    url = caller.create().uri
    token = bearer(cloud.issuer.token(OWNER, url), "X-Serverless-Authorization")
    headers = ask(url, {**token, "Authorization": "Bearer its.own.token"}).json()["headers"]
    assert headers["authorization"] == "Bearer its.own.token"
    assert headers["x-serverless-authorization"].endswith(f".{STRIPPED}")


REFUSED: dict[str, Callable[[Issuer, str], dict[str, str]]] = {
    "for another service": lambda issuer, _: bearer(issuer.token(OWNER, "http://another")),
    "for none": lambda issuer, _: bearer(issuer.token(OWNER, "")),
    "lapsed": lambda issuer, url: bearer(issuer.token(OWNER, url, timedelta(minutes=-5))),
    "signed by somebody else": lambda _, url: bearer(Issuer().token(OWNER, url)),
    "changed": lambda issuer, url: bearer(issuer.token(ROBOT, url)[:-8] + "AAAAAAAA"),
    "stripped": lambda issuer, url: bearer(f"{issuer.token(OWNER, url).rpartition('.')[0]}."),
    "no token": lambda *_: bearer("hunter2"),
    "of another kind": lambda *_: {"Authorization": "Basic aHVudGVyMg=="},
    "in the header that counts": lambda issuer, url: {
        **bearer(issuer.token(OWNER, url)),
        **bearer("hunter2", "X-Serverless-Authorization"),
    },
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_token_that_is_not_good_is_refused(caller: Caller, cloud: LocalCloud, what: str) -> None:
    url = caller.create().uri
    answer = ask(url, REFUSED[what](cloud.issuer, url))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


def test_who_shows_nothing_is_forbidden(caller: Caller) -> None:
    answer = ask(caller.create().uri)
    assert (answer.status_code, answer.headers.get("www-authenticate")) == (403, None)


def test_who_is_granted_the_role_may_call_until_it_is_taken_back(
    caller: Caller, cloud: LocalCloud
) -> None:
    url = caller.create().uri
    token = bearer(cloud.issuer.token(ROBOT, url))
    assert ask(url, token).status_code == 403
    caller.grant(INVOKED_BY_ROBOT)
    assert ask(url, token).status_code == 200
    caller.grant()
    assert ask(url, token).status_code == 403


def test_anybody_may_be_granted_it_who_is_somebody(caller: Caller, cloud: LocalCloud) -> None:
    url = caller.create().uri
    members = ["allAuthenticatedUsers"]
    caller.grant(policy_pb2.Binding(role="roles/run.invoker", members=members))
    statuses = [
        ask(url, headers).status_code for headers in (bearer(cloud.issuer.token(ROBOT, url)), {})
    ]
    assert statuses == [200, 403]


def test_a_revision_tag_takes_tokens_for_the_services_url(
    caller: Caller, cloud: LocalCloud
) -> None:
    service = caller.create(traffic=[latest(100, "next")])
    tagged = service.traffic_statuses[0].uri
    statuses = [
        ask(tagged, bearer(cloud.issuer.token(OWNER, audience))).status_code
        for audience in (service.uri, tagged)
    ]
    assert statuses == [200, 401]


def test_audiences_of_its_own_are_taken_beside_its_url(caller: Caller, cloud: LocalCloud) -> None:
    url = caller.create(custom_audiences=["https://shop.example", "shop"]).uri
    statuses = [
        ask(url, bearer(cloud.issuer.token(OWNER, audience))).status_code
        for audience in ("https://shop.example", "shop", url, "https://shop-example", "sho")
    ]
    assert statuses == [200, 200, 200, 401, 401]
    caller.update("custom_audiences", custom_audiences=[])
    assert ask(url, bearer(cloud.issuer.token(OWNER, "shop"))).status_code == 401


def test_a_public_service_leaves_every_header_as_it_is(caller: Caller, cloud: LocalCloud) -> None:
    url = caller.create().uri
    caller.grant(PUBLIC)
    token = bearer(cloud.issuer.token(OWNER, url))
    assert ask(url, token).json()["headers"]["authorization"] == token["Authorization"]
    assert ask(url, bearer("its.own.token")).status_code == 200


def test_the_metadata_server_hands_out_tokens_that_are_good(
    caller: Caller, cloud: LocalCloud
) -> None:
    url = caller.create().uri
    there = f"http://{cloud.metadata}/computeMetadata/v1/instance/service-accounts/default/identity"
    parameters, flavor = {"audience": url}, {"Metadata-Flavor": "Google"}
    token = httpx.get(there, params=parameters, headers=flavor, trust_env=False).text
    assert ask(url, bearer(token)).status_code == 200
