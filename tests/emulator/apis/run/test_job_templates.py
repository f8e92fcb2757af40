"""Templates of jobs: refused, filled in, overridden."""

import re
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import run_v2

from cloudrun_emulator.apis.run.jobs import templates as job_templates
from cloudrun_emulator.core.errors import CloudError

Overrides = run_v2.RunJobRequest.Overrides


def job(**template: Any) -> run_v2.Job:  # noqa: ANN401 - fields of an ExecutionTemplate
    task = {"containers": [{"image": "i", "args": ["a"], "env": [{"name": "A", "value": "1"}]}]}
    return run_v2.Job(name="projects/p/locations/r/jobs/j", template={"template": task, **template})


def run(template: run_v2.ExecutionTemplate, **overrides: Any) -> run_v2.ExecutionTemplate:  # noqa: ANN401
    return job_templates.overridden(template, Overrides(**overrides))


def test_a_job_retries_three_times_unless_it_says_otherwise() -> None:
    wanted = job()
    job_templates.fill(wanted)
    assert wanted.template.task_count == 1
    assert wanted.template.template.max_retries == 3
    assert wanted.template.template.timeout == timedelta(minutes=10)
    assert wanted.template.template.execution_environment == run_v2.ExecutionEnvironment(2)
    account = wanted.template.template.service_account
    assert re.fullmatch(r"\d{12}-compute@developer\.gserviceaccount\.com", account)
    assert dict(wanted.template.template.containers[0].resources.limits) == {
        "cpu": "1000m",
        "memory": "512Mi",
    }


def test_no_retries_is_a_wish_of_its_own() -> None:
    wanted = job()
    wanted.template.template.max_retries = 0
    job_templates.fill(wanted)
    assert wanted.template.template.max_retries == 0


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        (run_v2.Job(), "one container"),
        (run_v2.Job(template={"template": {"containers": [{}]}}), "image"),
        (job(task_count=2, parallelism=3), "parallelism"),
        (job(task_count=-1), "task_count"),
        (job(labels={"run.googleapis.com/x": "y"}), "run.googleapis.com/x"),
    ],
)
def test_what_could_never_run_is_refused(wanted: run_v2.Job, named: str) -> None:
    with pytest.raises(CloudError, match=named):
        job_templates.check(wanted)


@pytest.mark.parametrize("name", ["", "Job", "1job", "job-", "j" * 64])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(CloudError):
        job_templates.check_id(name)


def test_without_overrides_a_run_is_as_the_job_says() -> None:
    template = job().template
    assert run(template) == template


def test_a_run_replaces_arguments_and_merges_variables() -> None:
    override = {
        "args": ["b"],
        "env": [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}],
    }
    template = job().template
    container = run(template, container_overrides=[override]).template.containers[0]
    assert list(container.args) == ["b"]
    assert {one.name: one.value for one in container.env} == {"A": "2", "B": "3"}
    assert list(template.template.containers[0].args) == ["a"]


def test_a_run_may_clear_the_arguments() -> None:
    container = run(job().template, container_overrides=[{"clear_args": True}])
    assert not container.template.containers[0].args


def test_a_run_of_fewer_tasks_has_fewer_side_by_side() -> None:
    template = run(job(task_count=4, parallelism=4).template, task_count=2, timeout="7s")
    assert (template.task_count, template.parallelism) == (2, 2)
    assert template.template.timeout == timedelta(seconds=7)


def test_an_override_of_no_container_is_refused() -> None:
    with pytest.raises(CloudError, match="'other'"):
        run(job().template, container_overrides=[{"name": "other"}])
