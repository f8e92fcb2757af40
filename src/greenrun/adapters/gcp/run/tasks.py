"""What a job runs, as Cloud Run's templates write it."""

from google.cloud import run_v2

from greenrun.adapters.gcp.run.to_proto import template_of
from greenrun.model.interfaces import Job, Timeout


def task_template_of(job: Job, timeout: Timeout) -> run_v2.TaskTemplate:
    """One try, within the time that we wait: nothing goes on when nobody looks any more."""
    template = template_of(job.settings, job.image)
    container = template.containers[0]
    container.command = list(job.command)
    # A task listens nowhere, and has its CPU until it ends.
    for field in ("ports", "startup_probe"):
        run_v2.Container.pb(container).ClearField(field)
    run_v2.ResourceRequirements.pb(container.resources).ClearField("cpu_idle")
    task = run_v2.TaskTemplate(
        containers=[container],
        volumes=template.volumes,
        max_retries=0,
        service_account=template.service_account,
    )
    run_v2.TaskTemplate.pb(task).timeout.FromTimedelta(timeout.within)
    return task


def runs_the_same(one: run_v2.TaskTemplate, other: run_v2.TaskTemplate) -> bool:
    """True where both run one command of one image with one environment.

    The platform fills in the rest, and may write amounts of CPU and memory in other words.
    """
    return _essence(one) == _essence(other)


def _essence(task: run_v2.TaskTemplate) -> list[tuple[object, ...]]:
    return [
        (one.image, list(one.command), list(one.args), list(one.env), task.max_retries)
        for one in task.containers
    ]
