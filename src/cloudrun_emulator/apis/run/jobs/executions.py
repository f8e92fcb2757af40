"""`google.cloud.run.v2.Executions`."""

from google.cloud import run_v2
from google.longrunning import operations_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.longrunning import Operations
from cloudrun_emulator.apis.run.jobs.states import Phase, phase_of
from cloudrun_emulator.apis.run.jobs.store import ExecutionRecord, JobRecord, JobStore
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import ResourceName
from cloudrun_emulator.core.time import now
from cloudrun_emulator.server.pagination import page


class Executions:
    """Reads, cancels and deletes what running jobs has made."""

    def __init__(self, store: JobStore, operations: Operations) -> None:
        self._store = store
        self._operations = operations

    def get_execution(self, request: run_v2.GetExecutionRequest) -> run_v2.Execution:
        with self._store.lock:
            return clone(self._find(request.name)[1].execution)

    def list_executions(
        self, request: run_v2.ListExecutionsRequest
    ) -> run_v2.ListExecutionsResponse:
        """Newest first, of one job or (`-`) of all in the location."""
        parent = ResourceName.parse(request.parent, "jobs")
        with self._store.lock:
            found = [record.execution for record in self._store.executions(parent)]
            executions, token = page(found, request.page_size, request.page_token)
            return run_v2.ListExecutionsResponse(
                executions=[clone(one) for one in executions], next_page_token=token
            )

    def cancel_execution(self, request: run_v2.CancelExecutionRequest) -> operations_pb2.Operation:
        """Tasks get SIGTERM; the response is the execution once they ended.

        Raises FAILED_PRECONDITION for one that has ended [?].
        """
        with self._store.lock:
            _, record = self._find(request.name)
            if phase_of(record.execution) not in (Phase.WAITING, Phase.RUNNING):
                raise CloudError(
                    StatusCode.FAILED_PRECONDITION,
                    f"Execution '{record.name.id}' cannot be cancelled: it has completed.",
                )
            return self._end(record, validate_only=request.validate_only)

    def delete_execution(self, request: run_v2.DeleteExecutionRequest) -> operations_pb2.Operation:
        """One that runs is cancelled first."""
        with self._store.lock:
            job, record = self._find(request.name)
            if not request.validate_only:
                del job.executions[record.name.id]
                record.execution.delete_time = now()
            return self._end(record, validate_only=request.validate_only)

    def _end(self, record: ExecutionRecord, *, validate_only: bool) -> operations_pb2.Operation:
        parent = str(record.name.location)
        if validate_only:
            return self._operations.completed(parent, record.execution, record.execution)
        record.cancel()
        return self._operations.begin(parent, record.execution, lambda: self._ended(record))

    def _ended(self, record: ExecutionRecord) -> run_v2.Execution:
        record.ended.wait()
        with self._store.lock:
            return clone(record.execution)

    def _find(self, name: str) -> tuple[JobRecord, ExecutionRecord]:
        return self._store.find_execution(ResourceName.parse(name, "jobs", "executions"))
