"""All that release.yaml can say of a revision, deployed to the local cloud and read again."""

from dataclasses import replace

import pytest
from google.cloud import secretmanager_v1

from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.model.interfaces import NewRevision, Timeout
from greenrun.model.plan import Location
from tests.adapters.cloud.candidates import reading
from tests.adapters.every_setting import REVISION

RUNS = ("in-process/echo",)
VERSIONS = 3


@pytest.fixture
def secrets(clients: GoogleClients, place: Location) -> None:
    """What the settings name, each with three versions."""
    for name in ("token", "key", "cert"):
        secret = clients.secrets.create_secret(
            parent=f"projects/{place.project}",
            secret_id=name,
            secret=secretmanager_v1.Secret(replication={"automatic": {}}),
        )
        for number in range(VERSIONS):
            payload = secretmanager_v1.SecretPayload(data=f"{name} {number}".encode())
            clients.secrets.add_secret_version(parent=secret.name, payload=payload)


@pytest.mark.usefixtures("secrets")
def test_every_setting_is_taken_kept_and_told_where_it_does_nothing(
    platform: CloudRun, timeout: Timeout
) -> None:
    proxy = replace(REVISION.containers["proxy"], command=RUNS)
    wanted = replace(REVISION, command=RUNS, containers={"proxy": proxy})
    platform.create(NewRevision("web-one", "in-process/echo", wanted), timeout)
    revision = platform.revision("web-one")
    assert revision is not None
    assert revision.settings == wanted
    assert reading(platform).no_effect == (
        "add-cloudsql-instances",
        "concurrency",
        "cpu-boost",
        "execution-environment",
        "gpu",
        "key",
        "max-instances",
        "min-instances",
        "network",
        "readiness-probe",
        "service-account",
        "session-affinity",
        "vpc-egress",
    )
