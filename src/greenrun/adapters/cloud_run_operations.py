"""Long-running operations of Cloud Run."""

from collections.abc import Callable
from typing import TypeAlias

from google.api_core.exceptions import from_grpc_status
from google.cloud.run_v2 import ServicesClient
from google.longrunning import operations_pb2

from greenrun.adapters.google_calls import ANSWER_SECONDS, PATIENT
from greenrun.adapters.waiting import Wait

Operation: TypeAlias = operations_pb2.Operation


def outcome(
    client: ServicesClient, begun: Operation, wait: Wait, seen: Callable[[], str]
) -> Operation:
    """The operation once it is done: it then has a response or an error.

    Any client of Cloud Run can ask for any operation of it. The polling of `google.api_core` starts
    at a second and grows to twenty, which is too slow for a rollback; its time-out cancels nothing.
    """
    request = operations_pb2.GetOperationRequest(name=begun.name)

    def done() -> Operation | None:
        operation = client.get_operation(request, retry=PATIENT, timeout=ANSWER_SECONDS)
        return operation if operation.done else None

    return begun if begun.done else wait.until(done, seen)


def succeed(
    client: ServicesClient, begun: Operation, wait: Wait, seen: Callable[[], str]
) -> Operation:
    """The operation once it has a response; its error is raised as that of a call would be."""
    done = outcome(client, begun, wait, seen)
    if done.HasField("error"):
        raise from_grpc_status(done.error.code, done.error.message)  # type: ignore[no-untyped-call] # bare there
    return done
