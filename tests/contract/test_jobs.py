"""Jobs, their executions and tasks, by the official clients."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, pairwise
from threading import Barrier
from typing import Any

import pytest
from google.api_core import exceptions
from google.api_core.operation import Operation
from google.cloud import run_v2
from google.cloud.secretmanager_v1 import Secret, SecretManagerServiceClient, SecretPayload

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.emulator import LocalCloud
from tests.contract.caller import connect, moment, result, short
from tests.contract.programs import BASE_IMAGE

State = run_v2.Condition.State
Reason = run_v2.Condition.ExecutionReason
Status = run_v2.ExecutionReference.CompletionStatus
SOON = timedelta(seconds=20)

_numbers = count(1)
_TASK = """
import os, sys, time
for name, value in sorted(os.environ.items()):
    if name.startswith("CLOUD_RUN_"): print(f"{name}={value}", flush=True)
time.sleep(float(os.environ.get("RUN_SECONDS", "0")))
sys.exit(int(os.environ.get("EXIT_CODE", "0")))
"""
_UNTIL_A_SIGNAL = ("sh", "-c", "trap 'exit 143' TERM; python3 -c \"$0\" & wait $!")
"""A first process is not ended by a signal that it has no handler for; a shell's is there soon."""


def task_program(runtime: str, **environment: str) -> run_v2.Container:
    """Tells its CLOUD_RUN_* variables, takes RUN_SECONDS, exits with EXIT_CODE."""
    env = [run_v2.EnvVar(name=name, value=value) for name, value in environment.items()]
    if runtime == "in-process":
        return run_v2.Container(image="in-process/task", env=env)
    return run_v2.Container(image=BASE_IMAGE, command=[*_UNTIL_A_SIGNAL, _TASK], env=env)


def plant(cloud: LocalCloud, project: str, secret: str, payload: bytes) -> None:
    with connect(SecretManagerServiceClient, cloud, "grpc") as client:
        made = client.create_secret(parent=project, secret_id=secret, secret=Secret())
        client.add_secret_version(parent=made.name, payload=SecretPayload(data=payload))


@dataclass(frozen=True)
class JobCaller:
    """The three official clients, in a project of its own."""

    jobs: run_v2.JobsClient
    executions: run_v2.ExecutionsClient
    tasks: run_v2.TasksClient
    parent: str
    program: Callable[..., run_v2.Container]

    @property
    def name(self) -> str:
        return f"{self.parent}/jobs/migrate"

    def template(
        self, max_retries: int = 0, seconds: int = 60, **template: object
    ) -> run_v2.ExecutionTemplate:
        container = template.pop("container", None) or self.program()
        task = run_v2.TaskTemplate(
            containers=[container],
            max_retries=max_retries,
            timeout=timedelta(seconds=seconds),
        )
        return run_v2.ExecutionTemplate(template=task, **template)

    def create(self, **template: Any) -> run_v2.Job:  # noqa: ANN401 - fields of the template
        job = run_v2.Job(template=self.template(**template))
        created: run_v2.Job = result(
            self.jobs.create_job(parent=self.parent, job=job, job_id="migrate")
        )
        return created

    def begin(self, **overrides: object) -> Operation:
        return self.jobs.run_job({"name": self.name, "overrides": overrides})

    def run(self, **overrides: object) -> run_v2.Execution:
        ended: run_v2.Execution = result(self.begin(**overrides))
        return ended

    def latest(self) -> run_v2.Execution:
        return next(iter(self.executions.list_executions(parent=self.name)))

    def tasks_of(self, execution: run_v2.Execution) -> list[run_v2.Task]:
        return list(self.tasks.list_tasks(parent=execution.name))


@pytest.fixture
def caller(cloud: LocalCloud, runtime_name: str, transport: str) -> Iterator[JobCaller]:
    with ExitStack() as clients:
        jobs = clients.enter_context(connect(run_v2.JobsClient, cloud, transport))
        executions = clients.enter_context(connect(run_v2.ExecutionsClient, cloud, transport))
        tasks = clients.enter_context(connect(run_v2.TasksClient, cloud, transport))
        parent = f"projects/jobs-{next(_numbers)}/locations/l"
        yield JobCaller(
            jobs, executions, tasks, parent, lambda **env: task_program(runtime_name, **env)
        )


def completed(resource: run_v2.Execution | run_v2.Task) -> run_v2.Condition:
    return next(one for one in resource.conditions if one.type_ == "Completed")


def counts(execution: run_v2.Execution) -> dict[str, int]:
    """Those that are not 0."""
    names = ("running", "succeeded", "failed", "cancelled", "retried")
    told = {name: getattr(execution, f"{name}_count") for name in names}
    return {name: number for name, number in told.items() if number}


def test_a_new_job_is_ready_and_has_run_nothing(caller: JobCaller) -> None:
    job = caller.create()
    assert job.name == caller.name
    assert job.generation == job.observed_generation == 1
    assert job.terminal_condition.state == State.CONDITION_SUCCEEDED
    assert job.execution_count == 0
    assert caller.jobs.get_job(name=caller.name) == job
    assert list(caller.jobs.list_jobs(parent=caller.parent)) == [job]


def test_a_job_is_made_once(caller: JobCaller) -> None:
    caller.create()
    with pytest.raises(exceptions.Conflict, match=r"Resource 'migrate' already exists\."):
        caller.create()


def test_of_fifty_that_create_a_job_at_once_one_does(caller: JobCaller) -> None:
    """What a lock may rest on: creation under a fixed name is atomic."""
    start = Barrier(50)

    def race(number: int) -> str:
        job = run_v2.Job(template=caller.template(), annotations={"owner": str(number)})
        start.wait(SOON.total_seconds())
        try:
            caller.jobs.create_job(parent=caller.parent, job=job, job_id="migrate")
        except exceptions.Conflict:
            return ""
        return str(number)

    with ThreadPoolExecutor(50) as racers:
        (winner,) = filter(None, racers.map(race, range(50)))
    assert [job.name for job in caller.jobs.list_jobs(parent=caller.parent)] == [caller.name]
    assert caller.jobs.get_job(name=caller.name).annotations["owner"] == winner


def test_jobs_are_listed_from_the_newest_page_by_page(caller: JobCaller) -> None:
    for letter in "abc":
        job = run_v2.Job(template=caller.template())
        result(caller.jobs.create_job(parent=caller.parent, job=job, job_id=letter))
    request = run_v2.ListJobsRequest(parent=caller.parent, page_size=2)
    pages = caller.jobs.list_jobs(request).pages
    assert [[short(job.name) for job in page.jobs] for page in pages] == [["c", "b"], ["a"]]


def test_executions_are_listed_from_the_newest_page_by_page(caller: JobCaller) -> None:
    caller.create()
    one, two, three = (caller.run().name for _ in range(3))
    request = run_v2.ListExecutionsRequest(parent=caller.name, page_size=2)
    pages = caller.executions.list_executions(request).pages
    assert [[it.name for it in page.executions] for page in pages] == [[three, two], [one]]


def test_a_run_answers_with_the_execution_that_succeeded(caller: JobCaller) -> None:
    caller.create()
    execution = caller.run()
    assert execution.name.startswith(f"{caller.name}/executions/migrate-")
    assert len(short(execution.name)) == len("migrate-abcde")
    assert execution.job == "migrate"
    assert counts(execution) == {"succeeded": 1}
    assert completed(execution).state == State.CONDITION_SUCCEEDED
    times = [execution.create_time, execution.start_time, execution.completion_time]
    assert [moment(time) for time in times] == sorted(moment(time) for time in times)
    assert not execution.reconciling
    assert caller.executions.get_execution(name=execution.name) == execution


def test_a_job_tells_of_its_latest_execution(caller: JobCaller) -> None:
    caller.create()
    execution = caller.run()
    job = caller.jobs.get_job(name=caller.name)
    assert job.execution_count == 1
    assert job.latest_created_execution.name == short(execution.name)
    assert job.latest_created_execution.completion_status == Status.EXECUTION_SUCCEEDED
    assert job.latest_created_execution.completion_time == execution.completion_time


def test_a_failed_task_aborts_the_operation(caller: JobCaller) -> None:
    caller.create(container=caller.program(EXIT_CODE="3"))
    operation = caller.begin()
    with pytest.raises(exceptions.GoogleAPICallError, match="container exited with an error"):
        result(operation)
    assert operation.operation.error.code == 10
    execution = caller.latest()
    assert counts(execution) == {"failed": 1}
    assert completed(execution).state == State.CONDITION_FAILED
    assert completed(execution).execution_reason == Reason.NON_ZERO_EXIT_CODE
    (task,) = caller.tasks_of(execution)
    assert task.last_attempt_result.exit_code == 3
    assert task.last_attempt_result.status.code == 10


def test_a_failed_task_is_tried_again(caller: JobCaller) -> None:
    caller.create(max_retries=2, container=caller.program(EXIT_CODE="1"))
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.run()
    execution = caller.latest()
    assert counts(execution) == {"failed": 1, "retried": 1}
    assert [task.retried for task in caller.tasks_of(execution)] == [2]


def test_a_task_that_takes_too_long_exceeds_its_deadline(caller: JobCaller) -> None:
    caller.create(seconds=1, container=caller.program(RUN_SECONDS="60"))
    operation = caller.begin()
    with pytest.raises(exceptions.GoogleAPICallError, match="configured timeout was reached"):
        result(operation)
    assert operation.operation.error.code == 4
    assert counts(caller.latest()) == {"failed": 1}


def test_an_image_that_is_not_there_is_named(caller: JobCaller) -> None:
    caller.create(max_retries=3, container=run_v2.Container(image="no-such/image:1"))
    with pytest.raises(exceptions.GoogleAPICallError, match="Image 'no-such/image:1' not found"):
        caller.run()
    execution = caller.latest()
    assert counts(execution) == {"failed": 1}
    assert not completed(execution).execution_reason


def test_a_cancelled_execution_is_a_response_that_failed(caller: JobCaller) -> None:
    caller.create(container=caller.program(RUN_SECONDS="60"))
    operation = caller.begin()
    wait_until(lambda: caller.latest().running_count, SOON, "a running task")
    cancelled = result(caller.executions.cancel_execution(name=caller.latest().name))
    execution = result(operation)
    assert execution.name == cancelled.name
    assert counts(execution) == {"cancelled": 1}
    assert completed(execution).state == State.CONDITION_FAILED
    assert completed(execution).execution_reason == Reason.CANCELLED
    status = caller.jobs.get_job(name=caller.name).latest_created_execution.completion_status
    assert status == Status.EXECUTION_CANCELLED


def test_a_task_reads_secrets_as_a_revision_does(caller: JobCaller, cloud: LocalCloud) -> None:
    container = caller.program()
    source = {"secret_key_ref": {"secret": "exit-code", "version": "latest"}}
    container.env.append(run_v2.EnvVar(name="EXIT_CODE", value_source=source))
    caller.create(container=container)
    with pytest.raises(exceptions.GoogleAPICallError, match="secrets/exit-code"):
        caller.run()
    plant(cloud, "/".join(caller.parent.split("/")[:2]), "exit-code", b"7")
    with pytest.raises(exceptions.GoogleAPICallError, match="exited with an error"):
        caller.run()
    (task,) = caller.tasks_of(caller.latest())
    assert task.last_attempt_result.exit_code == 7


def test_what_has_ended_cannot_be_cancelled(caller: JobCaller) -> None:
    caller.create()
    with pytest.raises(exceptions.BadRequest, match="has completed"):
        caller.executions.cancel_execution(name=caller.run().name)


def test_a_run_overrides_what_the_job_says(caller: JobCaller) -> None:
    caller.create(container=caller.program(EXIT_CODE="1"))
    env = [run_v2.EnvVar(name="EXIT_CODE", value="0")]
    execution = caller.run(container_overrides=[{"env": env}], task_count=2, timeout="30s")
    assert counts(execution) == {"succeeded": 2}
    assert execution.template.timeout == timedelta(seconds=30)
    assert [task.index for task in caller.tasks_of(execution)] == [0, 1]
    job = caller.jobs.get_job(name=caller.name)
    assert job.template.task_count == 1


def test_tasks_run_side_by_side_only_as_far_as_parallelism_goes(caller: JobCaller) -> None:
    caller.create(task_count=3, parallelism=1)
    tasks = sorted(caller.tasks_of(caller.run()), key=lambda task: moment(task.start_time))
    for earlier, later in pairwise(tasks):
        assert moment(earlier.completion_time) <= moment(later.start_time)


def test_tasks_are_named_after_their_execution(caller: JobCaller) -> None:
    caller.create()
    execution = caller.run()
    (task,) = caller.tasks_of(execution)
    assert task.name == f"{execution.name}/tasks/{short(execution.name)}-task0"
    assert task.execution == short(execution.name)
    assert caller.tasks.get_task(name=task.name) == task
    every = list(caller.tasks.list_tasks(parent=f"{caller.parent}/jobs/-/executions/-"))
    assert every == [task]


def test_an_update_replaces_the_whole_job(caller: JobCaller) -> None:
    job = caller.create(task_count=2)
    job.template = caller.template()
    updated = result(caller.jobs.update_job(job=job))
    assert updated.generation == 2
    assert updated.template.task_count == 1
    assert updated.uid == job.uid
    with pytest.raises((exceptions.Aborted, exceptions.Conflict), match="etag"):
        caller.jobs.update_job(job=job)


def test_an_update_that_changes_nothing_makes_no_generation(caller: JobCaller) -> None:
    job = caller.create()
    assert result(caller.jobs.update_job(job=job)).generation == 1


def test_an_update_may_create(caller: JobCaller) -> None:
    job = run_v2.Job(name=caller.name, template=caller.template())
    with pytest.raises(exceptions.NotFound):
        caller.jobs.update_job(job=job)
    request = run_v2.UpdateJobRequest(job=job, allow_missing=True)
    assert result(caller.jobs.update_job(request)).generation == 1


def test_a_deleted_job_is_gone(caller: JobCaller) -> None:
    caller.create()
    assert "delete_time" in result(caller.jobs.delete_job(name=caller.name))
    with pytest.raises(exceptions.NotFound, match="'migrate' of kind 'JOB'"):
        caller.jobs.get_job(name=caller.name)


def test_a_deleted_execution_is_gone(caller: JobCaller) -> None:
    caller.create()
    name = caller.run().name
    assert result(caller.executions.delete_execution(name=name)).name == name
    with pytest.raises(exceptions.NotFound, match="of kind 'EXECUTION'"):
        caller.executions.get_execution(name=name)


def test_validation_alone_changes_nothing(caller: JobCaller) -> None:
    request = run_v2.CreateJobRequest(
        parent=caller.parent,
        job=run_v2.Job(template=caller.template()),
        job_id="migrate",
        validate_only=True,
    )
    caller.jobs.create_job(request)
    assert not list(caller.jobs.list_jobs(parent=caller.parent))


def test_a_job_without_a_container_is_refused(caller: JobCaller) -> None:
    with pytest.raises(exceptions.BadRequest, match="one container"):
        caller.jobs.create_job(parent=caller.parent, job=run_v2.Job(), job_id="migrate")
