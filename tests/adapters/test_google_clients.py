from contextlib import closing

import pytest

from greenrun.adapters.google_clients import Endpoints, GoogleClients
from greenrun.errors import CallFailed


def test_emulators_are_named_by_variables() -> None:
    variables = {
        "CLOUD_RUN_EMULATOR_HOST": "127.0.0.1:1",
        "LOGGING_EMULATOR_HOST": "127.0.0.1:2",
        "MONITORING_EMULATOR_HOST": "127.0.0.1:3",
        "SECRET_MANAGER_EMULATOR_HOST": "127.0.0.1:4",
        "OTHER": "x",
    }
    assert Endpoints.from_variables(variables) == Endpoints(
        cloud_run="127.0.0.1:1",
        logging="127.0.0.1:2",
        monitoring="127.0.0.1:3",
        secret_manager="127.0.0.1:4",
    )


def test_without_variables_everything_is_googles_own() -> None:
    assert Endpoints.from_variables({}) == Endpoints("", "", "", "")


def test_google_without_credentials_is_a_failed_call_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nowhere = str(tmp_path_factory.mktemp("home"))
    for name in ("HOME", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with (
        closing(GoogleClients(Endpoints())) as clients,
        pytest.raises(CallFailed, match="hint: gcloud auth application-default login"),
    ):
        _ = clients.services
