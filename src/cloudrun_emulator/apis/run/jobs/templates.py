"""The template of a job: what is refused, what is filled in, what a run overrides."""

import re
from datetime import timedelta

from google.api import launch_stage_pb2
from google.cloud import run_v2

from cloudrun_emulator.apis.run.defaults import account_of, fill_limits
from cloudrun_emulator.apis.run.templates import (
    check_containers,
    check_namespaces,
    check_timeout,
    check_volumes,
)
from cloudrun_emulator.core.protobuf import clone, raw
from cloudrun_emulator.core.resource_names import invalid

_ID = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_MAX_RETRIES = 3
_GEN2 = run_v2.ExecutionEnvironment(2)
_MOST_TASKS, _MOST_RETRIES, _LONGEST_TASK = 10_000, 10, timedelta(hours=168)
"""Source: https://cloud.google.com/run/quotas, https://cloud.google.com/run/docs/create-jobs"""

_TIMEOUT = timedelta(minutes=10)


def check_id(job_id: str) -> None:
    """At most 63 characters: a letter, then letters, digits and hyphens."""
    if not _ID.fullmatch(job_id):
        raise invalid(
            f"Invalid job name '{job_id}': it must begin with a letter, hold only lower case "
            "letters, digits and hyphens, not end with a hyphen, and have at most 63 characters."
        )


def check(job: run_v2.Job) -> None:
    """Raise INVALID_ARGUMENT for the first thing in a job that could never run."""
    _check_keys(job)
    _check_tasks(job.template)
    containers = job.template.template.containers
    if len(containers) != 1:
        raise invalid(f"Expected one container in the template, got {len(containers)}.")
    check_containers(containers, "template.template.containers")
    check_volumes(job.template.template, "template.template")


def _check_keys(job: run_v2.Job) -> None:
    for keys in (job.labels, job.annotations, job.template.labels, job.template.annotations):
        check_namespaces(keys)


def _check_tasks(template: run_v2.ExecutionTemplate) -> None:
    if template.task_count < 0 or template.template.max_retries < 0:
        raise invalid("task_count and max_retries cannot be negative.")
    if template.task_count > _MOST_TASKS or template.template.max_retries > _MOST_RETRIES:
        raise invalid(f"At most {_MOST_TASKS} tasks and {_MOST_RETRIES} retries.")
    timeout = run_v2.TaskTemplate.pb(template.template).timeout
    check_timeout(timeout, _LONGEST_TASK, "template.template.timeout")
    if not 0 <= template.parallelism <= (template.task_count or 1):
        raise invalid(
            f"parallelism must be from 0 to task_count ({template.task_count or 1}), "
            f"got {template.parallelism}."
        )


def fill(job: run_v2.Job) -> None:
    """Fill in what Cloud Run does where a job leaves a setting open."""
    job.launch_stage = job.launch_stage or launch_stage_pb2.GA
    template = job.template
    template.task_count = template.task_count or 1
    task = template.template
    if "max_retries" not in task:
        task.max_retries = _MAX_RETRIES
    if "timeout" not in task:
        raw(task).timeout.FromTimedelta(_TIMEOUT)
    task.service_account = task.service_account or account_of(job.name)
    task.execution_environment = _GEN2
    for container in task.containers:
        fill_limits(container)


def overridden(
    template: run_v2.ExecutionTemplate, overrides: run_v2.RunJobRequest.Overrides
) -> run_v2.ExecutionTemplate:
    """Copy `template` for one run; raise INVALID_ARGUMENT for an unknown container."""
    result = clone(template)
    if not 0 <= overrides.task_count <= _MOST_TASKS:
        raise invalid(f"overrides.task_count: 0 to {_MOST_TASKS}, got {overrides.task_count}.")
    timeout = run_v2.RunJobRequest.Overrides.pb(overrides).timeout
    check_timeout(timeout, _LONGEST_TASK, "overrides.timeout")
    result.task_count = overrides.task_count or result.task_count
    result.parallelism = min(result.parallelism, result.task_count)
    if "timeout" in overrides:
        result.template.timeout = overrides.timeout
    for override in overrides.container_overrides:
        _override(_container(result, override.name), override)
    return result


def _container(template: run_v2.ExecutionTemplate, name: str) -> run_v2.Container:
    """The only container goes by no name, too."""
    for container in template.template.containers:
        if name in ("", container.name):
            return container
    raise invalid(f"overrides.container_overrides: no container named '{name}'.")


def _override(
    container: run_v2.Container, override: run_v2.RunJobRequest.Overrides.ContainerOverride
) -> None:
    if override.args or override.clear_args:
        container.args = list(override.args)
    merged = {variable.name: variable for variable in (*container.env, *override.env)}
    container.env = list(merged.values())
