"""Reads of services as they were before their last change."""

import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.faults.registry import Faults
from tests.contract.caller import Caller, result
from tests.contract.faults.asking import SOON, describe, listed


def test_a_stale_read_is_of_the_state_before_the_last_change(
    caller: Caller, faults: Faults
) -> None:
    caller.create()
    fault = faults.add("Services.GetService: stale, twice")
    describe(caller, "first")
    last = describe(caller, "second")
    assert [caller.get().description for _ in range(3)] == ["first", "first", "second"]
    assert caller.get() == last
    assert fault.struck == 2


def test_a_read_without_a_change_before_it_is_not_stale(caller: Caller, faults: Faults) -> None:
    created = caller.create()
    fault = faults.add("Services.GetService: stale, once")
    assert caller.get() == created
    assert fault.struck == 0


def test_a_change_that_was_refused_makes_no_read_stale(caller: Caller, faults: Faults) -> None:
    caller.create()
    fault = faults.add("Services.GetService: stale, twice")
    describe(caller, "first")
    with faults.add("Services.UpdateService: ABORTED"), pytest.raises(exceptions.Conflict):
        describe(caller, "refused")
    assert caller.get().description == ""
    assert fault.struck == 1


def test_a_stale_read_knows_of_a_change_whose_reply_was_lost(
    caller: Caller, faults: Faults
) -> None:
    caller.create()
    faults.add("Services.GetService: stale, once")
    faults.add("Services.UpdateService: reply lost, once")
    with pytest.raises(exceptions.ServiceUnavailable):
        describe(caller, "made all the same")
    assert [caller.get().description for _ in range(2)] == ["", "made all the same"]


def test_stale_reads_have_an_end(caller: Caller, faults: Faults) -> None:
    caller.create()
    faults.add("Services.GetService: stale, for 300ms")
    describe(caller, "new")
    assert caller.get().description == ""
    wait_until(lambda: caller.get().description == "new", SOON, "the new state")


def test_a_new_service_is_not_found_by_a_stale_read(caller: Caller, faults: Faults) -> None:
    faults.add("Services.GetService: stale, once")
    caller.create()
    with pytest.raises(exceptions.NotFound, match="does not exist"):
        caller.get()
    assert caller.get().name == caller.service_name


def test_a_deleted_service_stands_in_a_stale_read(caller: Caller, faults: Faults) -> None:
    before = caller.create()
    faults.add("Services.*: stale, twice")
    result(caller.services.delete_service(name=caller.service_name))
    assert caller.get() == before
    assert listed(caller) == [before]
    assert listed(caller) == []


def test_a_stale_list_lacks_the_new_and_has_the_old(caller: Caller, faults: Faults) -> None:
    caller.create()
    faults.add("Services.ListServices: stale, once")
    describe(caller, "new")
    new = run_v2.Service(template=caller.template())
    result(caller.services.create_service(parent=caller.parent, service=new, service_id="other"))
    stale, fresh = (listed(caller) for _ in range(2))
    assert [one.description for one in stale] == [""]
    assert [one.description for one in fresh] == ["", "new"]
