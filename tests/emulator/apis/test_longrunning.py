"""Long-running operations, from inside."""

from threading import Event

import pytest
from google.cloud import run_v2
from google.longrunning import operations_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.longrunning import Operations
from cloudrun_emulator.core.errors import CloudError

PARENT = "projects/p/locations/r"


def finished(operations: Operations, name: str) -> operations_pb2.Operation:
    return operations.wait_operation(operations_pb2.WaitOperationRequest(name=name))


def test_work_goes_on_after_the_answer() -> None:
    operations, may_end = Operations(), Event()

    def work() -> run_v2.Service:
        may_end.wait()
        return run_v2.Service(name="after")

    begun = operations.begin(PARENT, run_v2.Service(name="before"), work)
    assert not begun.done
    may_end.set()
    done = finished(operations, begun.name)
    response = run_v2.Service.pb()()
    assert done.response.Unpack(response)
    assert response.name == "after"


def test_a_refusal_becomes_the_error() -> None:
    def work() -> run_v2.Service:
        raise CloudError(StatusCode.FAILED_PRECONDITION, "not now")

    operations = Operations()
    done = finished(operations, operations.begin(PARENT, run_v2.Service(), work).name)
    assert (done.error.code, done.error.message) == (9, "not now")


def test_a_surprise_becomes_internal_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> run_v2.Service:
        raise ZeroDivisionError("surprise")

    operations = Operations()
    done = finished(operations, operations.begin(PARENT, run_v2.Service(), work).name)
    assert (done.error.code, done.error.message) == (13, "ZeroDivisionError('surprise')")
    assert "ZeroDivisionError: surprise" in capsys.readouterr().err


def test_the_answer_is_a_copy() -> None:
    operations = Operations()
    begun = operations.begin(PARENT, run_v2.Service(), run_v2.Service)
    name = begun.name
    begun.name = "changed"
    assert finished(operations, name).name == name
