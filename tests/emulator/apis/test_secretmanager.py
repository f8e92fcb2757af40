"""Payloads: whole, checked, and never told by accident."""

import google_crc32c
import pytest
from google.cloud.secretmanager_v1 import (
    AccessSecretVersionRequest,
    AddSecretVersionRequest,
    CreateSecretRequest,
    SecretPayload,
)
from grpc import StatusCode

from cloudrun_emulator.apis.secretmanager import Secrets
from cloudrun_emulator.core.errors import CloudError


def secrets_with(payload: bytes) -> Secrets:
    secrets = Secrets()
    secrets.create_secret(CreateSecretRequest(parent="projects/p", secret_id="s"))
    secrets.add_secret_version(
        AddSecretVersionRequest(parent="projects/p/secrets/s", payload={"data": payload})
    )
    return secrets


def checksum_of(payload: bytes) -> int:
    latest = AccessSecretVersionRequest(name="projects/p/secrets/s/versions/latest")
    return int(secrets_with(payload).access_secret_version(latest).payload.data_crc32c)


def test_the_checksum_is_crc_32c() -> None:
    """Source: RFC 3720, B.4."""
    assert checksum_of(bytes(32)) == 0x8A9136AA
    assert checksum_of(bytes(range(32))) == 0x46DD794E


def test_a_variable_reads_the_value_as_text() -> None:
    assert secrets_with("grün".encode()).value("p", "s", "latest") == "grün"


def test_a_payload_that_is_no_text_is_refused_without_being_quoted() -> None:
    with pytest.raises(CloudError) as refusal:
        secrets_with(b"\xffhidden").value("p", "s", "1")
    assert refusal.value.code is StatusCode.FAILED_PRECONDITION
    assert "hidden" not in refusal.value.message
    assert refusal.value.__cause__ is None


def test_no_repr_tells_a_payload() -> None:
    assert "hidden" not in repr(secrets_with(b"hidden"))
    assert "hidden" not in repr(secrets_with(b"hidden").__dict__)


def test_a_corrupted_payload_is_refused() -> None:
    payload = SecretPayload(data=b"x", data_crc32c=google_crc32c.value(b"y"))
    with pytest.raises(CloudError, match="checksum"):
        secrets_with(b"x").add_secret_version(
            AddSecretVersionRequest(parent="projects/p/secrets/s", payload=payload)
        )
