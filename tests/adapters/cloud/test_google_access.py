"""What a project permits, as its own API tells it."""

from collections.abc import Iterator

import pytest

from cloudrun_emulator.emulator import LocalCloud
from greenrun.adapters.gcp.access import GoogleAccess
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.model.errors import CallFailed
from greenrun.model.plan import Location

CREATE, RUN = "run.jobs.create", "run.jobs.run"


@pytest.fixture
def access(clients: GoogleClients, place: Location) -> GoogleAccess:
    return GoogleAccess(clients, place)


@pytest.fixture
def denied(cloud: LocalCloud) -> Iterator[str]:
    cloud.permissions.deny(CREATE)
    yield CREATE
    cloud.permissions.grant(CREATE)


def test_an_emulator_asks_for_no_account(access: GoogleAccess) -> None:
    assert access.account() == "nobody (emulator)"


def test_nothing_is_missing(access: GoogleAccess) -> None:
    assert access.missing([CREATE, RUN]) == []


def test_what_is_missing_is_named_in_the_order_asked(access: GoogleAccess, denied: str) -> None:
    many = [f"shop.things.see{number}" for number in range(150)]
    assert access.missing([*many, denied, RUN]) == [denied]


def test_asking_changes_nothing(access: GoogleAccess, cloud: LocalCloud) -> None:
    cloud.calls.clear()
    access.missing([CREATE])
    assert cloud.calls.changes() == []


def test_a_refusal_is_a_failed_call(
    access: GoogleAccess, cloud: LocalCloud, place: Location
) -> None:
    refusal = f"could not ask what projects/{place.project} permits: got PERMISSION_DENIED"
    with (
        cloud.faults.add("Projects.TestIamPermissions: PERMISSION_DENIED"),
        pytest.raises(CallFailed, match=refusal),
    ):
        access.missing([CREATE])
