from contextlib import closing

import pytest

from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.model.errors import CallFailed

NAMED = {
    "CLOUD_RUN_EMULATOR_HOST": "127.0.0.1:1",
    "LOGGING_EMULATOR_HOST": "127.0.0.1:2",
    "MONITORING_EMULATOR_HOST": "127.0.0.1:3",
    "SECRET_MANAGER_EMULATOR_HOST": "127.0.0.1:4",
}


def test_emulators_are_named_by_variables() -> None:
    found = Endpoints.from_variables(
        {**NAMED, "RESOURCE_MANAGER_EMULATOR_HOST": "127.0.0.1:5", "OTHER": "x"}
    )
    assert found == Endpoints(
        cloud_run="127.0.0.1:1",
        logging="127.0.0.1:2",
        monitoring="127.0.0.1:3",
        secret_manager="127.0.0.1:4",
        resource_manager="127.0.0.1:5",
    )
    assert found.emulated


def test_resource_manager_is_where_cloud_run_is_unless_it_is_named() -> None:
    assert Endpoints.from_variables(NAMED).resource_manager == "127.0.0.1:1"


def test_without_variables_everything_is_googles_own() -> None:
    found = Endpoints.from_variables({})
    assert found == Endpoints("", "", "", "", "")
    assert not found.emulated


@pytest.mark.parametrize("absent", NAMED)
def test_half_a_release_must_not_reach_google(absent: str) -> None:
    named = {name: address for name, address in NAMED.items() if name != absent}
    with pytest.raises(CallFailed, match=f"without {absent}, needs all of them or none") as told:
        Endpoints.from_variables(named)
    assert all(name in str(told.value) for name in named)


def test_resource_manager_alone_is_half_a_release_too() -> None:
    with pytest.raises(CallFailed, match="got RESOURCE_MANAGER_EMULATOR_HOST without CLOUD_RUN_"):
        Endpoints.from_variables({"RESOURCE_MANAGER_EMULATOR_HOST": "127.0.0.1:5"})


def test_an_empty_variable_is_none() -> None:
    assert not Endpoints.from_variables(dict.fromkeys(NAMED, "")).emulated


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
