"""Operations: looked up, waited for, listed, forgotten."""

from datetime import timedelta
from time import monotonic

import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.longrunning import operations_pb2

from tests.contract.caller import Caller, result


def test_an_operation_carries_the_service_as_metadata_and_as_response(caller: Caller) -> None:
    operation = caller.begin_create()
    assert operation.metadata.name == caller.service_name
    service = result(operation)
    assert isinstance(service, run_v2.Service)
    assert service == caller.get()


def test_an_operation_is_named_under_its_location(caller: Caller) -> None:
    operation = caller.begin_create()
    result(operation)
    name = operation.operation.name
    assert name.startswith(f"{caller.parent}/operations/")
    assert caller.services.get_operation({"name": name}).name == name


def test_waiting_ends_with_the_operation(caller: Caller) -> None:
    operation = caller.begin_create()
    caller.services.wait_operation({"name": operation.operation.name})
    assert caller.services.get_operation({"name": operation.operation.name}).done


def test_waiting_ends_with_its_own_time_too(caller: Caller) -> None:
    caller.create()
    operation = caller.begin_update("template", template=caller.template("deaf"))
    request = operations_pb2.WaitOperationRequest(name=operation.operation.name)
    request.timeout.FromTimedelta(timedelta(milliseconds=50))
    start = monotonic()
    caller.services.wait_operation(request)
    assert monotonic() - start < 5
    assert not caller.services.get_operation({"name": operation.operation.name}).done


def test_operations_are_listed_by_location(caller: Caller) -> None:
    operations = [caller.begin_create(), caller.begin_update("description", description="second")]
    for operation in operations:
        result(operation)
    listed = caller.services.list_operations({"name": caller.parent}).operations
    assert [one.name for one in listed] == [one.operation.name for one in operations]


def test_a_deleted_operation_is_not_found(caller: Caller) -> None:
    operation = caller.begin_create()
    result(operation)
    name = operation.operation.name
    caller.services.delete_operation({"name": name})
    with pytest.raises(exceptions.NotFound, match="of kind 'OPERATION'"):
        caller.services.get_operation({"name": name})


def test_an_unknown_operation_is_not_found(caller: Caller) -> None:
    with pytest.raises(exceptions.NotFound, match="'nope' of kind 'OPERATION'"):
        caller.services.get_operation({"name": f"{caller.parent}/operations/nope"})
