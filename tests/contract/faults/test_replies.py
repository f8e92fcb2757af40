"""Replies that are lost or late, to calls that were carried out."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest
import requests
from google.api_core import exceptions
from google.cloud import run_v2
from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.faults.registry import Faults
from tests.contract.caller import Caller, result
from tests.contract.faults.asking import SOON, describe


def test_a_lost_reply_belongs_to_a_change_that_was_made(
    caller: Caller, cloud: LocalCloud, faults: Faults
) -> None:
    caller.create()
    cloud.calls.clear()
    faults.add("Services.UpdateService: reply lost, once")
    with pytest.raises(exceptions.ServiceUnavailable, match="reply lost"):
        describe(caller, "made all the same")
    assert caller.get().description == "made all the same"
    (change,) = cloud.calls.changes()
    assert (change.rpc, change.code) == ("Services.UpdateService", StatusCode.UNAVAILABLE)


def test_a_creation_whose_reply_was_lost_is_taken(caller: Caller, faults: Faults) -> None:
    faults.add("Services.CreateService: reply lost, once")
    with pytest.raises(exceptions.ServiceUnavailable):
        caller.begin_create()
    with pytest.raises(exceptions.Conflict, match="already exists"):
        caller.begin_create()


def test_a_late_reply_belongs_to_a_change_that_was_made_at_once(
    caller: Caller, cloud: LocalCloud, faults: Faults
) -> None:
    caller.create()
    cloud.calls.clear()
    fault = faults.add("Services.UpdateService: reply late by 1h")
    with ThreadPoolExecutor() as threads:
        update = threads.submit(caller.begin_update, "description", description="told late")
        (change,) = wait_until(cloud.calls.changes, SOON, "the change")
        assert (change.code, update.done()) == (None, False)
        fault.lift()
        assert result(update.result()).description == "told late"


def test_a_reply_that_is_late_comes(caller: Caller, faults: Faults) -> None:
    caller.create()
    faults.add("Services.GetService: reply late by 200ms")
    begun = monotonic()
    assert caller.get().name == caller.service_name
    assert monotonic() - begun > 0.2


def test_a_caller_who_does_not_wait_for_a_late_reply_has_changed_something(
    caller: Caller, faults: Faults, transport: str
) -> None:
    caller.create()
    fault = faults.add("Services.UpdateService: reply late by 1h, once")
    service = run_v2.Service(name=caller.service_name, description="made all the same")
    impatient = exceptions.DeadlineExceeded if transport == "grpc" else requests.ReadTimeout
    with pytest.raises(impatient):
        caller.services.update_service(
            service=service, update_mask=FieldMask(paths=["description"]), timeout=0.2
        )
    assert caller.get().description == "made all the same"
    assert fault.struck == 1


def test_the_fault_that_was_added_first_is_met_first(
    caller: Caller, cloud: LocalCloud, faults: Faults
) -> None:
    caller.create()
    cloud.calls.clear()
    lost = faults.add("Services.UpdateService: reply lost, once")
    refused = faults.add("Services.UpdateService: ABORTED, once")
    with pytest.raises(exceptions.Conflict):
        describe(caller, "refused within")
    assert (lost.struck, refused.struck) == (1, 1)
    assert cloud.calls.changes() == []
