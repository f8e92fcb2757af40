"""Resource Manager's projects, by their official client."""

from collections.abc import Iterator

import pytest
from google.api_core import exceptions
from google.cloud.resourcemanager_v3 import ProjectsClient

from cloudrun_emulator.emulator import LocalCloud
from tests.contract.caller import connect

CREATE, RUN = "run.jobs.create", "run.jobs.run"


@pytest.fixture
def client(cloud: LocalCloud, transport: str) -> Iterator[ProjectsClient]:
    with connect(ProjectsClient, cloud, transport) as client:
        yield client


def granted(client: ProjectsClient, *permissions: str) -> list[str]:
    answer = client.test_iam_permissions(resource="projects/p", permissions=list(permissions))
    return list(answer.permissions)


def test_everything_is_granted_in_the_order_asked(client: ProjectsClient) -> None:
    assert granted(client, RUN, CREATE) == [RUN, CREATE]
    assert granted(client) == []


def test_what_is_denied_is_left_out_until_it_is_granted(
    client: ProjectsClient, cloud: LocalCloud
) -> None:
    cloud.permissions.deny(CREATE)
    assert granted(client, CREATE, RUN) == [RUN]
    cloud.permissions.grant(CREATE)
    assert granted(client, CREATE, RUN) == [CREATE, RUN]


def test_asking_is_no_change(client: ProjectsClient, cloud: LocalCloud) -> None:
    before = cloud.calls.changes()
    granted(client, RUN)
    (*_, asked) = cloud.calls
    assert (asked.rpc, asked.resource) == ("Projects.TestIamPermissions", "projects/p")
    assert cloud.calls.changes() == before


@pytest.mark.parametrize(
    ("resource", "permissions"),
    [
        ("projects/p/locations/l", [RUN]),
        ("folders/f", [RUN]),
        ("projects/p", ["run.*"]),
        ("projects/p", [f"run.jobs.do{number}" for number in range(101)]),
    ],
)
def test_what_google_refuses_is_refused(
    client: ProjectsClient, resource: str, permissions: list[str]
) -> None:
    # Over REST a resource of another shape has no path: the client itself refuses it.
    with pytest.raises((exceptions.BadRequest, ValueError)):
        client.test_iam_permissions(resource=resource, permissions=permissions)


def test_the_rest_of_the_api_is_not_here(client: ProjectsClient) -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match="is not part of the local cloud"):
        client.get_project(name="projects/p")
