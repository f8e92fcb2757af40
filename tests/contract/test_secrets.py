"""Secret Manager, by its official client."""

from collections.abc import Iterator
from itertools import count

import pytest
from google.api_core import exceptions
from google.cloud.secretmanager_v1 import (
    Secret,
    SecretManagerServiceClient,
    SecretPayload,
    SecretVersion,
)

from cloudrun_emulator.emulator import LocalCloud
from tests.contract.caller import connect

State = SecretVersion.State
_numbers = count(1)


@pytest.fixture
def client(cloud: LocalCloud, transport: str) -> Iterator[SecretManagerServiceClient]:
    with connect(SecretManagerServiceClient, cloud, transport) as client:
        yield client


@pytest.fixture
def secret(client: SecretManagerServiceClient) -> str:
    """The name of a secret without versions."""
    made = client.create_secret(
        parent="projects/p",
        secret_id=f"secret-{next(_numbers)}",
        secret=Secret(replication={"automatic": {}}),
    )
    return str(made.name)


def add(client: SecretManagerServiceClient, secret: str, payload: bytes) -> SecretVersion:
    return client.add_secret_version(parent=secret, payload=SecretPayload(data=payload))


def test_a_version_is_numbered_and_enabled(client: SecretManagerServiceClient, secret: str) -> None:
    assert add(client, secret, b"a").name == f"{secret}/versions/1"
    second = add(client, secret, b"b")
    assert second.name == f"{secret}/versions/2"
    assert second.state == State.ENABLED
    assert client.get_secret_version(name=second.name) == second


def test_versions_are_read_by_number_and_the_newest_as_latest(
    client: SecretManagerServiceClient, secret: str
) -> None:
    add(client, secret, b"a")
    add(client, secret, b"\x00\xff")
    first = client.access_secret_version(name=f"{secret}/versions/1")
    latest = client.access_secret_version(name=f"{secret}/versions/latest")
    assert first.payload.data == b"a"
    assert latest.name == f"{secret}/versions/2"
    assert latest.payload.data == b"\x00\xff"
    assert first.payload.data_crc32c == 0xC1D04330


def test_a_disabled_version_cannot_be_read_until_it_is_enabled(
    client: SecretManagerServiceClient, secret: str
) -> None:
    version = add(client, secret, b"a").name
    assert client.disable_secret_version(name=version).state == State.DISABLED
    with pytest.raises(exceptions.BadRequest, match="is in DISABLED state") as refusal:
        client.access_secret_version(name=f"{secret}/versions/latest")
    assert version in refusal.value.message
    assert client.enable_secret_version(name=version).state == State.ENABLED
    assert client.access_secret_version(name=version).payload.data == b"a"


def test_a_destroyed_version_stays_destroyed(
    client: SecretManagerServiceClient, secret: str
) -> None:
    version = add(client, secret, b"a").name
    destroyed = client.destroy_secret_version(name=version)
    assert destroyed.state == State.DESTROYED
    assert "destroy_time" in destroyed
    for refused in (client.access_secret_version, client.enable_secret_version):
        with pytest.raises(exceptions.BadRequest, match="is in DESTROYED state"):
            refused(name=version)
    assert client.get_secret_version(name=version) == destroyed


def test_what_is_missing_is_named(client: SecretManagerServiceClient, secret: str) -> None:
    def told(call: str, name: str) -> str:
        with pytest.raises(exceptions.NotFound) as refusal:
            getattr(client, call)(name=name)
        return str(refusal.value.message)

    nowhere = "projects/p/secrets/nowhere"
    empty = f"Secret [{secret}] not found or has no versions."
    assert f"Secret [{nowhere}] not found." in told("get_secret", nowhere)
    assert empty in told("access_secret_version", f"{secret}/versions/latest")
    add(client, secret, b"a")
    missing = f"{secret}/versions/2"
    assert f"Secret Version [{missing}] not found." in told("get_secret_version", missing)


def test_a_secret_is_made_once(client: SecretManagerServiceClient, secret: str) -> None:
    assert client.get_secret(name=secret).name == secret
    with pytest.raises(exceptions.Conflict, match="already exists"):
        client.create_secret(
            parent="projects/p", secret_id=secret.rpartition("/")[2], secret=Secret()
        )


def test_a_name_that_no_secret_can_have_is_refused(client: SecretManagerServiceClient) -> None:
    with pytest.raises(exceptions.BadRequest):
        client.create_secret(parent="projects/p", secret_id="a b", secret=Secret())
