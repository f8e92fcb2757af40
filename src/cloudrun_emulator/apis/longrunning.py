"""Long-running operations: work that goes on after the call has been answered."""

import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from threading import Condition, Thread
from time import monotonic
from uuid import uuid4

from google.longrunning import operations_pb2
from google.protobuf import empty_pb2
from google.rpc import status_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.listing import paginate
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import Message, clone, raw
from cloudrun_emulator.core.resource_names import ResourceName

LONGEST_WAIT = timedelta(seconds=30)

Work = Callable[[], Message]


class Operations:
    """`google.longrunning.Operations`, and where the other APIs begin theirs."""

    def __init__(self, prepared: Callable[[Work], Work] = lambda work: work) -> None:
        """`prepared` gives the work as it is to be done; asked on the thread that begins it."""
        self._prepared = prepared
        self._operations: dict[str, operations_pb2.Operation] = {}
        self._changed = Condition()
        self._threads: list[Thread] = []
        self._closed = False

    def begin(self, parent: str, metadata: Message, work: Work) -> operations_pb2.Operation:
        """Start `work` on a thread of its own and return the unfinished operation.

        What `work` returns becomes the response; a CloudError that it raises becomes the error;
        any other exception is told on stderr and becomes INTERNAL.
        """
        operation = operations_pb2.Operation(name=f"{parent}/operations/{uuid4()}")
        operation.metadata.Pack(raw(metadata))
        thread = Thread(target=self._run, args=(operation, self._prepared(work)), daemon=True)
        with self._changed:
            self._operations[operation.name] = operation
            self._threads = [running for running in self._threads if running.is_alive()]
            self._threads.append(thread)
            thread.start()
            return clone(operation)

    def completed(
        self, parent: str, metadata: Message, response: Message
    ) -> operations_pb2.Operation:
        """Answer a request that only validates, with a finished operation that is not kept."""
        operation = operations_pb2.Operation(name=f"{parent}/operations/{uuid4()}", done=True)
        operation.metadata.Pack(raw(metadata))
        operation.response.Pack(raw(response))
        return operation

    def get_operation(
        self, request: operations_pb2.GetOperationRequest
    ) -> operations_pb2.Operation:
        with self._changed:
            return clone(self._find(request.name))

    def list_operations(
        self, request: operations_pb2.ListOperationsRequest
    ) -> operations_pb2.ListOperationsResponse:
        prefix = f"{request.name}/operations/"
        with self._changed:
            found = [
                clone(one) for name, one in self._operations.items() if name.startswith(prefix)
            ]
        operations, token = paginate(found, request.page_size, request.page_token)
        return operations_pb2.ListOperationsResponse(operations=operations, next_page_token=token)

    def wait_operation(
        self, request: operations_pb2.WaitOperationRequest
    ) -> operations_pb2.Operation:
        """Return when the operation is done or the time is over, whichever comes first."""
        asked = request.timeout.ToTimedelta() if request.HasField("timeout") else LONGEST_WAIT
        with self._changed:
            operation = self._find(request.name)
            self._changed.wait_for(
                lambda: operation.done or self._closed, min(asked, LONGEST_WAIT).total_seconds()
            )
            return clone(operation)

    def delete_operation(self, request: operations_pb2.DeleteOperationRequest) -> empty_pb2.Empty:
        """Forget the operation; its work goes on."""
        with self._changed:
            self._find(request.name)
            del self._operations[request.name]
        return empty_pb2.Empty()

    def close(self, timeout: timedelta = timedelta(seconds=5)) -> None:
        """Let nobody wait longer; then wait for the work, which whoever closes has made end."""
        deadline = monotonic() + timeout.total_seconds()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))

    def _find(self, name: str) -> operations_pb2.Operation:
        operation = self._operations.get(name)
        if operation is None:
            raise ResourceName.parse(name, "operations").missing()
        return operation

    def _run(self, operation: operations_pb2.Operation, work: Work) -> None:
        outcome = _outcome(work)
        with self._changed:
            operation.MergeFrom(outcome)
            self._changed.notify_all()


def _outcome(work: Work) -> operations_pb2.Operation:
    outcome = operations_pb2.Operation(done=True)
    try:
        outcome.response.Pack(raw(work()))
    except CloudError as error:
        outcome.error.CopyFrom(status_pb2.Status(code=error.number, message=error.message))
    except Exception as error:  # noqa: BLE001 - whatever it was, the waiting client must be told
        traceback.print_exc(file=sys.stderr)
        number = StatusCode.INTERNAL.value[0]
        outcome.error.CopyFrom(status_pb2.Status(code=number, message=repr(error)))
    return outcome
