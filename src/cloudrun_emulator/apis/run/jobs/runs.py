"""Running an execution: its tasks, a few at a time, each attempt a container."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Event, RLock

from google.cloud import run_v2
from google.rpc import status_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.run.containers import SecretValues, instance_spec, memory_bytes
from cloudrun_emulator.apis.run.jobs.states import (
    Phase,
    count_tasks,
    enter_phase,
    execution_reference,
)
from cloudrun_emulator.apis.run.jobs.store import ExecutionRecord, JobRecord
from cloudrun_emulator.apis.run.volumes import Volumes
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import (
    Fleet,
    ImageMissing,
    Instance,
    InstanceSpec,
    Mount,
    StartRefused,
)
from cloudrun_emulator.core.protobuf import clone, raw
from cloudrun_emulator.core.resource_names import ResourceName, short

MOST_AT_ONCE = 8
"""Tasks of one execution that run side by side: a machine is no region."""


_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class TaskAttempt:
    """The end of an attempt: by itself with an exit code, at its time-out, or cancelled."""

    exit_code: int = 0
    timed_out: bool = False
    cancelled: bool = False

    @property
    def succeeded(self) -> bool:
        return not (self.exit_code or self.timed_out or self.cancelled)


class ExecutionRuns:
    """Runs executions of jobs; records change under `lock` alone."""

    def __init__(self, lock: RLock, fleet: Fleet, secrets: SecretValues) -> None:
        self._lock = lock
        self._fleet = fleet
        self._secrets = secrets

    def run(self, job: JobRecord, record: ExecutionRecord) -> run_v2.Execution:
        """The execution once it ended, well or cancelled.

        Raises ABORTED when a task failed, DEADLINE_EXCEEDED when one timed out,
        FAILED_PRECONDITION when one could not be started [?]. Then the other tasks are cancelled.
        """
        try:
            self._begin(job, record)
            with ThreadPoolExecutor(_at_once(record.execution)) as workers:
                list(workers.map(lambda task: self._run_task(record, task), record.tasks))
            return self._finish(job, record)
        finally:
            record.ended.set()

    def _begin(self, job: JobRecord, record: ExecutionRecord) -> None:
        with self._lock:
            enter_phase(record.execution, Phase.RUNNING)
            _update_reference(job, record.execution)

    def _finish(self, job: JobRecord, record: ExecutionRecord) -> run_v2.Execution:
        with self._lock:
            enter_phase(record.execution, _final_phase(record), record.failure)
            _update_reference(job, record.execution)
            ended = clone(record.execution)
        if record.failure:
            raise record.failure
        return ended

    def _run_task(self, record: ExecutionRecord, task: run_v2.Task) -> None:
        try:
            ended = self._attempts(record, task)
        except (CloudError, ImageMissing, StartRefused) as error:
            cause = CloudError(StatusCode.FAILED_PRECONDITION, _start_failure(task, error))
            self._fail(record, task, cause)
            return
        if ended.succeeded:
            self._enter_phase(record, task, Phase.SUCCEEDED)
        elif ended.cancelled:
            self._enter_phase(record, task, Phase.CANCELLED)
        else:
            self._fail(record, task, _attempt_failure(ended))

    def _attempts(self, record: ExecutionRecord, task: run_v2.Task) -> TaskAttempt:
        """The last attempt: the first that succeeded or was cancelled, or one too many."""
        if record.stopping.is_set():
            return TaskAttempt(cancelled=True)
        self._enter_phase(record, task, Phase.RUNNING)
        timeout = raw(task).timeout.ToTimedelta()
        for number in range(task.max_retries + 1):
            with self._lock:
                task.retried = number
                count_tasks(record.execution, record.tasks)
                spec = self._spec(record, task, number)
            ended = run_attempt(self._fleet, spec, timeout, record.stopping)
            with self._lock:
                task.last_attempt_result = _result(ended)
            if ended.succeeded or ended.cancelled:
                break
        return ended

    def _spec(self, record: ExecutionRecord, task: run_v2.Task, number: int) -> InstanceSpec:
        name = ResourceName.parse(task.name, "jobs", "executions", "tasks")
        spec = instance_spec(
            name=f"{name.id}-{number}",
            container=task.containers[0],
            mounts=self._mounts(name, number, task),
            resource=_job_labels(name),
            extra_environment=_task_environment(record.execution, task, number),
            secrets=self._secrets,
            project=name.location.project,
        )
        return replace(spec, port=None)

    def _mounts(self, name: ResourceName, number: int, task: run_v2.Task) -> tuple[Mount, ...]:
        volumes = Volumes(
            f"{name.id}-{number}",
            name.location.project,
            tuple(task.volumes),
            self._secrets,
            memory_bytes(task.containers[0].resources.limits["memory"]),
        )
        return volumes.mounts(task.containers[0])

    def _enter_phase(
        self,
        record: ExecutionRecord,
        task: run_v2.Task,
        phase: Phase,
        failure: CloudError | None = None,
    ) -> None:
        with self._lock:
            enter_phase(task, phase, failure)
            count_tasks(record.execution, record.tasks)

    def _fail(self, record: ExecutionRecord, task: run_v2.Task, cause: CloudError) -> None:
        self._enter_phase(record, task, Phase.FAILED, cause)
        with self._lock:
            told = f"Task {short(task.name)} failed with message: {cause.message}"
            record.failure = record.failure or CloudError(cause.code, told)
        record.stopping.set()


def _at_once(execution: run_v2.Execution) -> int:
    return min(execution.parallelism or MOST_AT_ONCE, MOST_AT_ONCE)


def _final_phase(record: ExecutionRecord) -> Phase:
    if record.failure:
        return Phase.FAILED
    return Phase.CANCELLED if record.execution.cancelled_count else Phase.SUCCEEDED


def _update_reference(job: JobRecord, execution: run_v2.Execution) -> None:
    """Update what the job tells of its latest execution, if this is it."""
    if job.job.latest_created_execution.name == short(execution.name):
        job.job.latest_created_execution = execution_reference(execution)


def _attempt_failure(ended: TaskAttempt) -> CloudError:
    """Return the failure in words that users of the API report."""
    if ended.timed_out:
        return CloudError(StatusCode.DEADLINE_EXCEEDED, "The configured timeout was reached.")
    return CloudError(StatusCode.ABORTED, "The container exited with an error.")


def _result(ended: TaskAttempt) -> run_v2.TaskAttemptResult:
    if ended.succeeded or ended.cancelled:
        return run_v2.TaskAttemptResult()
    failure = _attempt_failure(ended)
    status = status_pb2.Status(code=failure.number, message=failure.message)
    return run_v2.TaskAttemptResult(status=status, exit_code=ended.exit_code)


def _start_failure(task: run_v2.Task, error: Exception) -> str:
    if isinstance(error, ImageMissing):
        return f"Image '{task.containers[0].image}' not found."
    return str(error)


def _task_environment(
    execution: run_v2.Execution, task: run_v2.Task, number: int
) -> dict[str, str]:
    return {
        "CLOUD_RUN_JOB": short(task.job),
        "CLOUD_RUN_EXECUTION": short(task.execution),
        "CLOUD_RUN_TASK_INDEX": str(task.index),
        "CLOUD_RUN_TASK_COUNT": str(execution.task_count),
        "CLOUD_RUN_TASK_ATTEMPT": str(number),
    }


def _job_labels(name: ResourceName) -> dict[str, str]:
    return {
        "type": "cloud_run_job",
        "project_id": name.location.project,
        "location": name.location.region,
        "job_name": name.path[0][1],
    }


def run_attempt(
    fleet: Fleet, spec: InstanceSpec, timeout: timedelta, cancelled: Event
) -> TaskAttempt:
    """Return when the container is gone; raises what Fleet.start raises."""
    instance = fleet.start(spec)
    try:
        return _await_end(instance, timeout, cancelled)
    finally:
        instance.stop()


def _await_end(instance: Instance, timeout: timedelta, cancelled: Event) -> TaskAttempt:
    deadline = time.monotonic() + timeout.total_seconds()
    while (code := instance.exit_code()) is None:
        if cancelled.wait(_POLL_SECONDS):
            return TaskAttempt(cancelled=True)
        if time.monotonic() > deadline:
            return TaskAttempt(timed_out=True)
    return TaskAttempt(exit_code=code)
