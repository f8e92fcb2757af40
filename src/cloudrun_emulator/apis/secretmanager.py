"""Secret Manager: secrets, their numbered versions, and what these hold."""

import re
from dataclasses import dataclass, field
from threading import RLock

import google_crc32c
from google.cloud import secretmanager_v1
from google.cloud.secretmanager_v1 import Secret, SecretPayload, SecretVersion
from grpc import StatusCode

from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.resource_names import invalid
from cloudrun_emulator.core.time import now

_State = SecretVersion.State
_SECRET_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_PARENT = re.compile(r"projects/[^/]+")
_VERSION_NAME = re.compile(r"(?P<secret>projects/[^/]+/secrets/[^/]+)/versions/(?P<version>[^/]+)")


@dataclass(slots=True)
class _StoredVersion:
    resource: SecretVersion
    payload: bytes = field(repr=False)


@dataclass(slots=True)
class _StoredSecret:
    resource: Secret
    versions: list[_StoredVersion] = field(default_factory=list)

    def version(self, alias: str) -> _StoredVersion:
        """`latest` is the newest version in whatever state; a number counts from 1."""
        if not self.versions:
            raise _not_found(f"Secret [{self.resource.name}] not found or has no versions.")
        if alias == "latest":
            return self.versions[-1]
        if _NUMBER.fullmatch(alias) and 1 <= int(alias) <= len(self.versions):
            return self.versions[int(alias) - 1]
        raise _not_found(f"Secret Version [{self.resource.name}/versions/{alias}] not found.")


class Secrets:
    """Every secret of every project. Payloads are in no repr and in no message.

    The wording of refusals follows what clients of the real service report. [?]
    """

    def __init__(self) -> None:
        self._secrets: dict[str, _StoredSecret] = {}
        self._lock = RLock()

    def create_secret(self, request: secretmanager_v1.CreateSecretRequest) -> Secret:
        if not _SECRET_ID.fullmatch(request.secret_id):
            raise invalid(f"Secret ID [{request.secret_id}] needs letters, digits, _ and - alone.")
        if not _PARENT.fullmatch(request.parent):
            raise invalid(f"Expected projects/PROJECT, got '{request.parent}'.")
        name = f"{request.parent}/secrets/{request.secret_id}"
        secret = Secret(request.secret)
        secret.name, secret.create_time = name, now()
        with self._lock:
            if name in self._secrets:
                raise CloudError(StatusCode.ALREADY_EXISTS, f"Secret [{name}] already exists.")
            self._secrets[name] = _StoredSecret(secret)
        return Secret(secret)

    def get_secret(self, request: secretmanager_v1.GetSecretRequest) -> Secret:
        with self._lock:
            return Secret(self._secret(request.name).resource)

    def add_secret_version(
        self, request: secretmanager_v1.AddSecretVersionRequest
    ) -> SecretVersion:
        payload = bytes(request.payload.data)
        _verify(request.payload)
        with self._lock:
            versions = self._secret(request.parent).versions
            resource = SecretVersion(
                name=f"{request.parent}/versions/{len(versions) + 1}",
                create_time=now(),
                state=_State.ENABLED,
                client_specified_payload_checksum="data_crc32c" in request.payload,
            )
            versions.append(_StoredVersion(resource, payload))
            return SecretVersion(resource)

    def get_secret_version(
        self, request: secretmanager_v1.GetSecretVersionRequest
    ) -> SecretVersion:
        with self._lock:
            return SecretVersion(self._version(request.name).resource)

    def access_secret_version(
        self, request: secretmanager_v1.AccessSecretVersionRequest
    ) -> secretmanager_v1.AccessSecretVersionResponse:
        with self._lock:
            version = self._version(request.name)
            _require_not(version, _State.DISABLED, _State.DESTROYED)
            return secretmanager_v1.AccessSecretVersionResponse(
                name=version.resource.name,
                payload=SecretPayload(
                    data=version.payload, data_crc32c=google_crc32c.value(version.payload)
                ),
            )

    def enable_secret_version(
        self, request: secretmanager_v1.EnableSecretVersionRequest
    ) -> SecretVersion:
        return self._change_state(request.name, _State.ENABLED)

    def disable_secret_version(
        self, request: secretmanager_v1.DisableSecretVersionRequest
    ) -> SecretVersion:
        return self._change_state(request.name, _State.DISABLED)

    def destroy_secret_version(
        self, request: secretmanager_v1.DestroySecretVersionRequest
    ) -> SecretVersion:
        """The payload is gone for good; the version stays, as DESTROYED."""
        with self._lock:
            self._change_state(request.name, _State.DESTROYED)
            version = self._version(request.name)
            version.payload = b""
            version.resource.destroy_time = now()
            return SecretVersion(version.resource)

    def payload(self, project: str, secret: str, version: str) -> bytes:
        """Return what this version holds; raises CloudError when it is missing, or not enabled."""
        name = _version_name(project, secret, version)
        answer = self.access_secret_version(secretmanager_v1.AccessSecretVersionRequest(name=name))
        return bytes(answer.payload.data)

    def value(self, project: str, secret: str, version: str) -> str:
        """Return the text that a variable holds which selects this version.

        Raises CloudError when it is missing, disabled, destroyed or no text.
        """
        payload = self.payload(project, secret, version)
        try:
            return payload.decode()
        except UnicodeDecodeError:
            name = _version_name(project, secret, version)
            message = f"Secret Version [{name}] is not text: a variable cannot hold it."
            # Not chained: the cause quotes the payload.
            raise CloudError(StatusCode.FAILED_PRECONDITION, message) from None

    def _secret(self, name: str) -> _StoredSecret:
        try:
            return self._secrets[name]
        except KeyError:
            raise _not_found(f"Secret [{name}] not found.") from None

    def _version(self, name: str) -> _StoredVersion:
        match = _VERSION_NAME.fullmatch(name)
        if not match:
            raise invalid(f"{name} is not the name of a secret version.")
        secret = self._secrets.get(match["secret"])
        if secret is None:
            raise _not_found(f"Secret [{match['secret']}] not found or has no versions.")
        return secret.version(match["version"])

    def _change_state(self, name: str, state: int) -> SecretVersion:
        with self._lock:
            version = self._version(name)
            _require_not(version, _State.DESTROYED)
            version.resource.state = _State(state)
            return SecretVersion(version.resource)


def _version_name(project: str, secret: str, version: str) -> str:
    return f"projects/{project}/secrets/{secret}/versions/{version}"


def _require_not(version: _StoredVersion, *states: int) -> None:
    if version.resource.state in states:
        state = _State(version.resource.state).name
        message = f"Secret Version [{version.resource.name}] is in {state} state."
        raise CloudError(StatusCode.FAILED_PRECONDITION, message)


def _verify(payload: SecretPayload) -> None:
    if "data_crc32c" in payload and payload.data_crc32c != google_crc32c.value(bytes(payload.data)):
        raise invalid("The checksum does not match the payload: it was corrupted in transit.")


def _not_found(message: str) -> CloudError:
    return CloudError(StatusCode.NOT_FOUND, message)
