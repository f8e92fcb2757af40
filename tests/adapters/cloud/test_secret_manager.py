import pytest
from google.cloud import secretmanager_v1

from greenrun.adapters.google_clients import GoogleClients
from greenrun.adapters.secret_manager import SecretManager
from greenrun.domain.plan import Place
from greenrun.errors import CallFailed


@pytest.fixture
def vault(clients: GoogleClients, place: Place) -> SecretManager:
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
    vault: SecretManager, secret: str, version: str, *, expected: bool
) -> None:
    assert vault.exists(secret, version) is expected


def test_a_refusal_is_a_failed_call(clients: GoogleClients, place: Place) -> None:
    with pytest.raises(CallFailed, match=r"could not look for projects/.*: got INVALID_ARGUMENT"):
        SecretManager(clients, place).exists("token", "1/2")
