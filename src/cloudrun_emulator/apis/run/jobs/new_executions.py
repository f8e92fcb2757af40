"""An execution of a job as it is made, and its tasks."""

from secrets import choice
from string import ascii_lowercase, digits
from uuid import uuid4

from google.cloud import run_v2

from cloudrun_emulator.apis.run.jobs.states import Phase, enter
from cloudrun_emulator.apis.run.jobs.store import ExecutionRecord, JobRecord
from cloudrun_emulator.apis.run.services.store import etag
from cloudrun_emulator.core.time import now
from cloudrun_emulator.server.caller import caller


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
    enter(execution, Phase.WAITING)
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
    enter(task, Phase.WAITING)
    return task


def _new_id(job: JobRecord) -> str:
    while True:
        suffix = "".join(choice(ascii_lowercase + digits) for _ in range(5))
        if f"{job.name.id}-{suffix}" not in job.executions:
            return f"{job.name.id}-{suffix}"
