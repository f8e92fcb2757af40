import pytest
from google.cloud import secretmanager_v1

from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.secret_manager import SecretManager
from greenrun.model.errors import CallFailed
from greenrun.model.plan import Location


@pytest.fixture
def secret_store(clients: GoogleClients, place: Location) -> SecretManager:
    """Holds `token`: version 1 disabled, version 2 enabled."""
    secret = clients.secrets.create_secret(
        parent=f"projects/{place.project}",
        secret_id="token",
        secret=secretmanager_v1.Secret(replication={"automatic": {}}),
    )
    for value in (b"old", b"new"):
        payload = secretmanager_v1.SecretPayload(data=value)
        clients.secrets.add_secret_version(parent=secret.name, payload=payload)
    clients.secrets.disable_secret_version(name=f"{secret.name}/versions/1")
    return SecretManager(clients, place)


@pytest.mark.parametrize(
    ("secret", "version", "expected"),
    [
        ("token", "2", True),
        ("token", "latest", True),
        ("token", "1", False),
        ("token", "3", False),
        ("other", "latest", False),
    ],
)
def test_a_version_exists_when_it_is_enabled(
    secret_store: SecretManager, secret: str, version: str, *, expected: bool
) -> None:
    assert secret_store.exists(secret, version) is expected


def test_a_refusal_is_a_failed_call(clients: GoogleClients, place: Location) -> None:
    with pytest.raises(CallFailed, match=r"could not look for projects/.*: got INVALID_ARGUMENT"):
        SecretManager(clients, place).exists("token", "1/2")


def test_an_enabled_version_is_read_as_text(secret_store: SecretManager) -> None:
    assert secret_store.read("token", "2") == "new"
    assert secret_store.read("token", "latest") == "new"


@pytest.mark.parametrize(("secret", "version"), [("token", "1"), ("token", "3"), ("other", "1")])
def test_what_cannot_be_read_is_a_failed_call(
    secret_store: SecretManager, secret: str, version: str
) -> None:
    with pytest.raises(CallFailed, match=f"could not read projects/.*/{secret}/versions/{version}"):
        secret_store.read(secret, version)


def test_a_value_that_is_no_text_is_never_told(
    secret_store: SecretManager, clients: GoogleClients, place: Location
) -> None:
    payload = secretmanager_v1.SecretPayload(data=b"\xffhidden")
    name = f"projects/{place.project}/secrets/token"
    clients.secrets.add_secret_version(parent=name, payload=payload)
    with pytest.raises(CallFailed, match="got no text") as told:
        secret_store.read("token", "3")
    assert "hidden" not in str(told.value)
    assert told.value.__cause__ is None
