"""Calls that are refused, and the account of all calls."""

import pytest
from google.api_core import exceptions
from grpc import StatusCode

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.faults.registry import Faults
from tests.contract.caller import Caller, pinned
from tests.contract.faults.asking import codes, describe, listed


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UNAVAILABLE", exceptions.ServiceUnavailable),
        ("DEADLINE_EXCEEDED", exceptions.GatewayTimeout),
        ("ABORTED", exceptions.Conflict),
        ("RESOURCE_EXHAUSTED", exceptions.TooManyRequests),
        ("PERMISSION_DENIED", exceptions.Forbidden),
        ("INTERNAL", exceptions.InternalServerError),
    ],
)
def test_a_refused_call_changes_nothing(
    caller: Caller, cloud: LocalCloud, faults: Faults, code: str, kind: type[Exception]
) -> None:
    before = caller.create()
    cloud.calls.clear()
    fault = faults.add(f"Services.UpdateService: {code}")
    with pytest.raises(kind, match=f"Fault: {fault}"):
        describe(caller, "refused")
    assert caller.get() == before
    assert codes(cloud, "Services.UpdateService") == [StatusCode[code]]
    assert cloud.calls.changes() == []


def test_the_first_calls_fail_and_the_next_one_passes(caller: Caller, faults: Faults) -> None:
    caller.create()
    fault = faults.add("Services.UpdateService: ABORTED, twice")
    for _ in range(2):
        with pytest.raises(exceptions.Conflict):
            describe(caller, "refused")
    assert describe(caller, "taken").description == "taken"
    assert fault.struck == 2


def test_one_call_of_many_fails(caller: Caller, faults: Faults) -> None:
    caller.create()
    faults.add("Services.UpdateService: INTERNAL, the 2nd time")
    describe(caller, "first")
    with pytest.raises(exceptions.InternalServerError):
        describe(caller, "second")
    assert describe(caller, "third").generation == 3


def test_a_fault_that_is_lifted_strikes_no_more(caller: Caller, faults: Faults) -> None:
    caller.create()
    with faults.add("Services.*: INTERNAL"), pytest.raises(exceptions.InternalServerError):
        describe(caller, "refused")
    assert describe(caller, "taken").description == "taken"
    assert list(faults) == []


def test_a_fault_of_one_resource_spares_the_others(caller: Caller, faults: Faults) -> None:
    caller.create()
    faults.add("Services.UpdateService of another-*: INTERNAL")
    struck = faults.add(f"Services.UpdateService of {caller.service_id}: ABORTED")
    with pytest.raises(exceptions.Conflict):
        describe(caller, "refused")
    assert struck.struck == 1


@pytest.mark.parametrize("rpc", ["GetService", "ListServices"])
def test_the_official_clients_repeat_a_read_that_is_unavailable(
    caller: Caller, cloud: LocalCloud, faults: Faults, rpc: str
) -> None:
    caller.create()
    cloud.calls.clear()
    faults.add(f"Services.{rpc}: UNAVAILABLE, once")
    if rpc == "GetService":
        assert caller.get().name == caller.service_name
    else:
        assert [one.name for one in listed(caller)] == [caller.service_name]
    told = [StatusCode.UNAVAILABLE, StatusCode.OK]
    assert codes(cloud, f"Services.{rpc}") == told


def test_a_read_that_may_not_be_repeated_fails_at_once(caller: Caller, faults: Faults) -> None:
    caller.create()
    faults.add("Services.GetService: UNAVAILABLE, once")
    with pytest.raises(exceptions.ServiceUnavailable):
        caller.services.get_service(name=caller.service_name, retry=None)


@pytest.mark.usefixtures("faults")
def test_every_call_is_noted(caller: Caller, cloud: LocalCloud) -> None:
    caller.create()
    with pytest.raises(exceptions.NotFound):
        caller.revision("no-such")
    told = [(call.rpc, call.resource, call.code) for call in cloud.calls]
    assert told[0] == ("Services.CreateService", caller.service_name, StatusCode.OK)
    assert told[-1] == (
        "Revisions.GetRevision",
        f"{caller.service_name}/revisions/no-such",
        StatusCode.NOT_FOUND,
    )
    assert {rpc for rpc, _, _ in told[1:-1]} <= {"Operations.GetOperation"}
    times = [call.time for call in cloud.calls]
    assert times == sorted(times)


def test_what_only_looks_or_is_refused_changes_nothing(caller: Caller, cloud: LocalCloud) -> None:
    service = caller.create()
    cloud.calls.clear()
    caller.get()
    listed(caller)
    caller.services.update_service({"service": service, "validate_only": True})
    service.traffic = [pinned("no-such", 40)]
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.services.update_service(service=service)
    assert len(cloud.calls) == 4
    assert cloud.calls.changes() == []
    describe(caller, "changed")
    (change,) = cloud.calls.changes()
    assert (change.rpc, change.resource) == ("Services.UpdateService", caller.service_name)
