"""`google.cloud.run.v2.Jobs`."""

from uuid import uuid4

from google.cloud import run_v2
from google.longrunning import operations_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.listing import paginate
from cloudrun_emulator.apis.longrunning import Operations
from cloudrun_emulator.apis.run.conditions import State, condition
from cloudrun_emulator.apis.run.containers import SecretValues
from cloudrun_emulator.apis.run.jobs import templates as job_templates
from cloudrun_emulator.apis.run.jobs.executions import Executions, Tasks, new_execution
from cloudrun_emulator.apis.run.jobs.runs import ExecutionRuns
from cloudrun_emulator.apis.run.jobs.states import execution_reference
from cloudrun_emulator.apis.run.jobs.store import JobRecord, JobStore
from cloudrun_emulator.apis.run.services.store import etag
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import Fleet
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import Location, ResourceName
from cloudrun_emulator.core.time import now
from cloudrun_emulator.server.calls import caller


class Jobs:
    """Jobs and the running of them; `executions` and `tasks` are the APIs of what they run."""

    def __init__(
        self,
        operations: Operations,
        fleet: Fleet,
        secrets: SecretValues,
        *,
        strict_etags: bool = True,
    ) -> None:
        self._store = JobStore()
        self._operations = operations
        self._runs = ExecutionRuns(self._store.lock, fleet, secrets)
        self._strict_etags = strict_etags
        self.executions = Executions(self._store, operations)
        self.tasks = Tasks(self._store)

    def create_job(self, request: run_v2.CreateJobRequest) -> operations_pb2.Operation:
        location = Location.parse(request.parent)
        name = ResourceName(location, (("jobs", request.job_id),))
        return self._create(name, request.job, validate_only=request.validate_only)

    def get_job(self, request: run_v2.GetJobRequest) -> run_v2.Job:
        with self._store.lock:
            return clone(self._find(request.name).job)

    def list_jobs(self, request: run_v2.ListJobsRequest) -> run_v2.ListJobsResponse:
        """Newest first."""
        location = Location.parse(request.parent)
        with self._store.lock:
            found = [record.job for record in self._store.of(location)]
            jobs, token = paginate(found, request.page_size, request.page_token)
            return run_v2.ListJobsResponse(jobs=[clone(one) for one in jobs], next_page_token=token)

    def update_job(self, request: run_v2.UpdateJobRequest) -> operations_pb2.Operation:
        """Replace the whole job: there is no mask."""
        name = ResourceName.parse(request.job.name, "jobs")
        with self._store.lock:
            if request.allow_missing and name not in self._store:
                return self._create(name, request.job, validate_only=request.validate_only)
            record = self._store.find(name)
            self._check_etag(record, request.job.etag)
            wanted = _successor(record.job, request.job)
            if request.validate_only:
                return self._operations.completed(str(name.location), wanted, wanted)
            record.job = wanted
            return self._done(record)

    def delete_job(self, request: run_v2.DeleteJobRequest) -> operations_pb2.Operation:
        """Its executions are cancelled and go with it."""
        with self._store.lock:
            record = self._find(request.name)
            self._check_etag(record, request.etag)
            if request.validate_only:
                parent = str(record.name.location)
                return self._operations.completed(parent, record.job, record.job)
            self._store.remove(record)
            record.job.delete_time = now()
            for execution in record.executions.values():
                execution.cancel()
            return self._done(record)

    def run_job(self, request: run_v2.RunJobRequest) -> operations_pb2.Operation:
        """Metadata and response are the execution; how it may end: ExecutionRuns.run."""
        with self._store.lock:
            job = self._find(request.name)
            self._check_etag(job, request.etag)
            parent = str(job.name.location)
            template = job_templates.overridden(job.job.template, request.overrides)
            record = new_execution(job, template)
            if request.validate_only:
                return self._operations.completed(parent, record.execution, record.execution)
            job.executions[record.name.id] = record
            job.job.execution_count += 1
            job.job.latest_created_execution = execution_reference(record.execution)
            return self._operations.begin(
                parent, record.execution, lambda: self._runs.run(job, record)
            )

    def close(self) -> None:
        """Cancel whatever runs; its operations end soon after."""
        with self._store.lock:
            for record in self._store.every_execution():
                record.cancel()

    def _create(
        self, name: ResourceName, wanted: run_v2.Job, *, validate_only: bool
    ) -> operations_pb2.Operation:
        job_templates.check_id(name.id)
        bare = run_v2.Job(name=str(name), uid=str(uuid4()), create_time=now(), creator=caller())
        record = JobRecord(_successor(bare, wanted))
        with self._store.lock:
            if validate_only:
                return self._operations.completed(str(name.location), record.job, record.job)
            self._store.add(record)
            return self._done(record)

    def _done(self, record: JobRecord) -> operations_pb2.Operation:
        """Begin an operation that is as good as done: jobs change at once."""
        answer = clone(record.job)
        return self._operations.begin(str(record.name.location), answer, lambda: answer)

    def _find(self, name: str) -> JobRecord:
        return self._store.find(ResourceName.parse(name, "jobs"))

    def _check_etag(self, record: JobRecord, sent: str) -> None:
        """The standard wants ABORTED for a stale etag; Cloud Run was seen to accept any."""
        if self._strict_etags and sent and sent != record.job.etag:
            raise CloudError(
                StatusCode.ABORTED,
                f"Conflict for resource '{record.name.id}': "
                f"etag {sent} was specified but the current etag is {record.job.etag}.",
            )


_SETTABLE = (
    "labels",
    "annotations",
    "client",
    "client_version",
    "launch_stage",
    "binary_authorization",
    "template",
)
"""The fields of a Job that are not output only. Source: comments in job.proto."""


def _successor(job: run_v2.Job, wanted: run_v2.Job) -> run_v2.Job:
    """`job` as `wanted` has it; what differs makes a generation. Raises INVALID_ARGUMENT."""
    job_templates.check(wanted)
    successor = clone(job)
    for field in _SETTABLE:
        setattr(successor, field, getattr(wanted, field))
    job_templates.fill(successor)
    if successor == job:
        return successor
    successor.generation += 1
    successor.observed_generation = successor.generation
    successor.update_time = now()
    successor.last_modifier = caller()
    successor.etag = etag(successor.uid, successor.generation)
    successor.terminal_condition = condition("Ready", State.CONDITION_SUCCEEDED)
    return successor
