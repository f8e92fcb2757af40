"""What engines and registries say, and the one thing to do about it."""

import pytest

from greenrun.adapters.registry.address import Address, refusal

APP = Address("europe-west1-docker.pkg.dev", "emergence-469005/app/emergence-app")
OLD = Address("eu.gcr.io", "emergence-469005/emergence-app")
OWN = Address("registry.example:5000", "team/app")

ROLE = "roles/artifactregistry"
CREATE = (
    "gcloud artifacts repositories create {name} --repository-format=docker "
    "--location={location} --project=emergence-469005"
)
GCLOUD_LOGIN = "gcloud auth application-default login"


@pytest.mark.parametrize(
    ("address", "said", "needs", "hint"),
    [
        (
            APP,
            'name unknown: Repository "app" not found',
            "a repository that exists",
            CREATE.format(name="app", location="europe-west1"),
        ),
        (
            OLD,
            "name unknown: Repo does not exist",
            "a repository that exists",
            CREATE.format(name="eu.gcr.io", location="europe"),
        ),
        (
            OWN,
            'HTTP 404 Not Found {"errors":[{"code":"NAME_UNKNOWN"}]}',
            "a repository that exists",
            "create team/app at registry.example:5000",
        ),
        (
            APP,
            'denied: Permission "uploadArtifacts" denied on "projects/x" (or it may not exist)',
            "the permission",
            f"grant {ROLE}.writer on {APP}, or see that this repository exists",
        ),
        (
            OLD,
            "unauthorized: You don't have the needed permissions to perform this operation",
            "the permission",
            f"grant {ROLE}.writer on {OLD}, or see that this repository exists",
        ),
        (
            OWN,
            "error parsing HTTP 403 response body: unexpected end of JSON input",
            "the permission",
            "log in to registry.example:5000 as somebody who may push team/app",
        ),
        (
            APP,
            "denied: Unauthenticated request. Unauthenticated requests do not have permission",
            "credentials that it knows",
            GCLOUD_LOGIN,
        ),
        (OWN, "no basic auth credentials", "credentials that it knows", f"docker login {OWN.host}"),
        (OWN, "unauthorized: who are you", "credentials that it knows", f"docker login {OWN.host}"),
        (
            OWN,
            "write /var/lib/docker/tmp/x: no space left on device",
            "room",
            "make room where the message says: on this machine's disk, or at registry.example:5000",
        ),
        (
            APP,
            f"dial tcp: lookup {APP.host} on 10.0.0.1:53: no such host",
            "a host that exists",
            f"see that build.repository in release.yaml means {APP.host}, and that DNS knows it",
        ),
        (
            OWN,
            'Get "https://registry.example:5000/v2/": x509: certificate has expired',
            "a host that is trusted",
            f"let this machine and its engine trust the certificate of {OWN.host}",
        ),
    ],
)
def test_a_no_for_good_says_what_to_do(address: Address, said: str, needs: str, hint: str) -> None:
    found = refusal("push", address, said)
    assert found is not None
    assert found.message == f"could not push {address}: got {said}, needs {needs}"
    assert found.hint == hint


@pytest.mark.parametrize(("action", "role"), [("read", "reader"), ("remove", "repoAdmin")])
def test_other_actions_take_other_roles(action: str, role: str) -> None:
    found = refusal(action, APP, "HTTP 403 Forbidden")
    assert found is not None
    assert f"grant {ROLE}.{role} on" in found.hint


@pytest.mark.parametrize(
    "said",
    [
        "received unexpected HTTP status: 503 Service Unavailable",
        "EOF",
        "read tcp 10.0.0.1:40404->10.0.0.2:443: read: connection reset by peer",
        "dial tcp 127.0.0.1:5000: connect: connection refused",
        "net/http: TLS handshake timeout",
        "toomanyrequests: Quota for requests per minute",
    ],
)
def test_the_rest_may_pass_by_itself(said: str) -> None:
    assert refusal("push", APP, said) is None
