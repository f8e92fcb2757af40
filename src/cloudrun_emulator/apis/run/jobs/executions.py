"""`google.cloud.run.v2.Executions` and `Tasks`: how they are made, read, cancelled and deleted."""

from secrets import choice
from string import ascii_lowercase, digits
from uuid import uuid4

from google.cloud import run_v2
from google.longrunning import operations_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.listing import paginate
from cloudrun_emulator.apis.longrunning import Operations
from cloudrun_emulator.apis.run.jobs.states import Phase, enter_phase, phase_of
from cloudrun_emulator.apis.run.jobs.store import ANY, ExecutionRecord, JobRecord, JobStore
from cloudrun_emulator.apis.run.services.store import etag
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import ResourceName
from cloudrun_emulator.core.time import now
from cloudrun_emulator.server.calls import caller


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
            executions, token = paginate(found, request.page_size, request.page_token)
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
        """Delete an execution; one that runs is cancelled first."""
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


class Tasks:
    """Reads the tasks of executions."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def get_task(self, request: run_v2.GetTaskRequest) -> run_v2.Task:
        name = ResourceName.parse(request.name, "jobs", "executions", "tasks")
        execution = ResourceName(name.location, name.path[:-1])
        with self._store.lock:
            for task in self._store.find_execution(execution)[1].tasks:
                if task.name == request.name:
                    return clone(task)
        raise name.missing()

    def list_tasks(self, request: run_v2.ListTasksRequest) -> run_v2.ListTasksResponse:
        """List by index, of one execution or (`-`) of every one of a job, or of every job."""
        parent = ResourceName.parse(request.parent, "jobs", "executions")
        job = ResourceName(parent.location, parent.path[:1])
        with self._store.lock:
            found = [
                task
                for record in self._store.executions(job)
                if parent.id in (ANY, record.name.id)
                for task in record.tasks
            ]
            tasks, token = paginate(found, request.page_size, request.page_token)
            return run_v2.ListTasksResponse(
                tasks=[clone(one) for one in tasks], next_page_token=token
            )


def new_execution(job: JobRecord, template: run_v2.ExecutionTemplate) -> ExecutionRecord:
    """Under a new name, `JOB-abcde`, with every task waiting."""
    execution = run_v2.Execution(
        name=f"{job.job.name}/executions/{_new_id(job)}",
        uid=str(uuid4()),
        generation=1,
        observed_generation=1,
        labels=template.labels,
        annotations=template.annotations,
        create_time=now(),
        creator=caller(),
        launch_stage=job.job.launch_stage,
        job=job.name.id,
        parallelism=template.parallelism,
        task_count=template.task_count,
        template=template.template,
    )
    execution.etag = etag(execution.uid, 1)
    enter_phase(execution, Phase.WAITING)
    tasks = [_new_task(execution, index) for index in range(execution.task_count)]
    return ExecutionRecord(execution, tasks)


def _new_task(execution: run_v2.Execution, index: int) -> run_v2.Task:
    template = execution.template
    execution_id = execution.name.rpartition("/")[2]
    task = run_v2.Task(
        name=f"{execution.name}/tasks/{execution_id}-task{index}",
        uid=str(uuid4()),
        generation=1,
        observed_generation=1,
        labels=execution.labels,
        create_time=now(),
        scheduled_time=now(),
        job=execution.job,
        execution=execution_id,
        containers=template.containers,
        volumes=template.volumes,
        max_retries=template.max_retries,
        timeout=template.timeout,
        index=index,
    )
    task.etag = etag(task.uid, 1)
    enter_phase(task, Phase.WAITING)
    return task


def _new_id(job: JobRecord) -> str:
    while True:
        suffix = "".join(choice(ascii_lowercase + digits) for _ in range(5))
        if f"{job.name.id}-{suffix}" not in job.executions:
            return f"{job.name.id}-{suffix}"
