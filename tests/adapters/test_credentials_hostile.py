"""Files that hold credentials, as they may be found: read, or refused with the one clear error."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenrun.adapters.gcp.clients import application_default
from greenrun.adapters.registry.address import Address
from greenrun.adapters.registry.login import MachineLogins
from greenrun.model.errors import CallFailed

OWN = Address("registry.example:5000", "web")
SETTINGS = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
OF_DOCKER = ("auths", OWN.host, "auth", "identitytoken", "username", "HttpHeaders", "credsStore")
OF_GOOGLE = ("type", "client_email", "private_key", "token_uri", "client_id", "credential_source")
KEYS = st.sampled_from([*OF_DOCKER, *OF_GOOGLE])
VALUES = st.sampled_from(["service_account", "authorized_user", "external_account", "bWU6eA=="])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | VALUES,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(KEYS, parts, max_size=4),
    max_leaves=10,
)
CONTENT = st.binary(max_size=60) | JSON.map(lambda found: json.dumps(found).encode())
NESTED = b"[" * 100_000


@SETTINGS
@given(CONTENT)
def test_any_config_of_docker(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    reads_logins(tmp_path_factory.mktemp("docker"), content)


@pytest.mark.parametrize(
    "content",
    [
        NESTED,
        b'{"auths": []}',
        b'{"auths": {"registry.example:5000": []}}',
        b'{"auths": {"registry.example:5000": {"auth": 7}}}',
        b'{"auths": {"registry.example:5000": {"auth": "\xff"}}}',
        b'{"auths": {"registry.example:5000": {"auth": "bm9jb2xvbg=="}}}',
        b'{"credHelpers": []}',
        b'{"credsStore": 7}',
    ],
    ids=range(8),
)
def test_configs_of_docker_that_are_none(tmp_path: Path, content: bytes) -> None:
    reads_logins(tmp_path, content)


def reads_logins(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.MonkeyPatch.context() as patch, suppress(CallFailed):
        patch.setenv("DOCKER_CONFIG", str(folder))
        MachineLogins()(OWN)


@SETTINGS
@given(CONTENT)
def test_any_credentials_of_google(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    reads_credentials(tmp_path_factory.mktemp("google"), content)


@pytest.mark.parametrize(
    "content",
    [
        NESTED,
        b"[]",
        b'{"type": 7}',
        b'{"type": "service_account", "client_email": 1, "private_key": 1, "token_uri": 1}',
        b'{"type": "authorized_user", "client_id": 1}',
        b'{"type": "external_account", "audience": [], "credential_source": []}',
        b"\xff",
    ],
    ids=range(7),
)
def test_credentials_of_google_that_are_none(tmp_path: Path, content: bytes) -> None:
    reads_credentials(tmp_path, content)


def reads_credentials(folder: Path, content: bytes) -> None:
    path = folder / "credentials.json"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch, suppress(CallFailed):
        patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        application_default("look who this is")
