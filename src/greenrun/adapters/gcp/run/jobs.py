"""Jobs of Cloud Run: commands of an image, written, run once, and followed to their end."""

from datetime import timedelta
from itertools import islice

from google.cloud import run_v2

from greenrun.adapters.gcp.calls import Operation, Removal, RetryingCall, refusal, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.from_proto import condition_named, describe, execution_of, is_over
from greenrun.adapters.gcp.run.to_proto import (
    ingress_container,
    template_of,
    template_of_revision,
)
from greenrun.model.interfaces import Clock, Execution, Job, Timeout
from greenrun.model.plan import Location
from greenrun.model.polling import Wait

_SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED
_DOUBT = timedelta(seconds=2)
"""How long to look for an execution, after an answer that got lost, before another is begun."""

_NEWEST = 100

_OF_A_SERVICE = (
    "args",
    "ports",
    "startup_probe",
    "liveness_probe",
    "readiness_probe",
    "depends_on",
)


class Jobs:
    """The jobs of one place."""

    def __init__(self, clients: GoogleClients, place: Location, clock: Clock) -> None:
        self._clients = clients
        self._place = place
        self._clock = clock

    def run(self, job: Job, baseline: run_v2.Revision, timeout: Timeout) -> Execution:
        """Replace the job as a whole, run it once, and judge what came of it."""
        name, hint = self._name(job.name), self._hint(job.name)
        task = task_template_of(job, baseline, timeout)
        wait = Wait(f"{name} to be written (UpdateJob)", timeout, self._clock)
        with refused(f"write {name} (UpdateJob)", hint):
            self._write(name, task, self._call(wait, hint))
        wait.awaited = f"{name} to end (RunJob)"
        return JobRun(self._clients, name, task, self._call(wait, hint, _DOUBT)).to_its_end()

    def remove(self, name: str, timeout: Timeout) -> None:
        """Delete a job with its executions."""
        full, jobs, hint = self._name(name), self._clients.jobs, self._hint(name)
        wait = Wait(f"{full} to be gone (DeleteJob)", timeout, self._clock)
        Removal(
            f"delete {full} (DeleteJob)",
            lambda timeout: jobs.delete_job(name=full, retry=None, timeout=timeout).operation,
            lambda timeout: jobs.get_job(name=full, retry=None, timeout=timeout),
        ).carry_out(self._call(wait, hint))

    def _write(self, name: str, task: run_v2.TaskTemplate, call: RetryingCall) -> None:
        """UpdateJob replaces the whole job: to send it again does no harm."""
        wanted = run_v2.Job(name=name, template=run_v2.ExecutionTemplate(template=task))
        request = run_v2.UpdateJobRequest(job=wanted, allow_missing=True)

        def send(timeout: float) -> Operation:
            begun: Operation = self._clients.jobs.update_job(
                request, retry=None, timeout=timeout
            ).operation
            return begun

        def taken() -> Operation | None:
            return call.send(send) if call.due else None

        call.until(taken, lambda: "the job is not written yet")
        call.until(lambda: self._written(wanted, call), lambda: "the job is not ready yet")

    def _written(self, wanted: run_v2.Job, call: RetryingCall) -> bool | None:
        if call.progress.succeeded:
            return True
        timeout = call.answer_seconds
        live = self._clients.jobs.get_job(name=wanted.name, retry=None, timeout=timeout)
        same = _runs_the_same(live.template.template, wanted.template.template)
        if same and not live.reconciling and live.terminal_condition.state == _SUCCEEDED:
            return True
        if call.progress.error:
            raise refusal(f"write {wanted.name} (UpdateJob)", call.progress.error, call.hint)
        call.refresh()
        return None

    def _call(self, wait: Wait, hint: str, doubt: timedelta = timedelta()) -> RetryingCall:
        return RetryingCall(self._clients.services, wait, self._clock, hint, doubt)

    def _name(self, job: str) -> str:
        return f"{self._place.parent}/jobs/{job}"

    def _hint(self, job: str) -> str:
        place = f"--region {self._place.region} --project {self._place.project}"
        return f"`gcloud run jobs executions list --job {job} {place}` tells whether it still runs"


class JobRun:
    """One run of a job that stands as it shall be.

    RunJob is not idempotent. Where its answer got lost, an execution that was not there before is
    the one that it began; only where none shows itself it is sent again.
    """

    def __init__(
        self, clients: GoogleClients, job: str, task: run_v2.TaskTemplate, call: RetryingCall
    ) -> None:
        """`job` is its full name."""
        self._clients = clients
        self._job = job
        self._task = task
        self._call = call
        self._state = "no execution"

    def to_its_end(self) -> Execution:
        """Begin it, and return once it has ended, well or not."""
        with refused(f"run {self._job} (RunJob)", self._call.hint):
            before = self._call.until(self._names, self._seen)
            name = self._call.until(lambda: self._begun(before), self._seen)
        with refused(f"read {name} (GetExecution)", self._call.hint):
            return self._call.until(lambda: self._ended(name), self._seen)

    def _begun(self, before: frozenset[str]) -> str | None:
        if self._call.possible and (name := self._new(before)):
            return name
        if self._call.accepted or not self._call.due:
            return None
        begun = self._call.send(self._send)
        return _execution_name(begun) if begun else None

    def _send(self, timeout: float) -> Operation:
        begun: Operation = self._clients.jobs.run_job(
            name=self._job, retry=None, timeout=timeout
        ).operation
        return begun

    def _names(self) -> frozenset[str]:
        return frozenset(execution.name for execution in self._newest())

    def _new(self, before: frozenset[str]) -> str | None:
        """The first of those that came since, and run what we want run."""
        came = [
            execution.name
            for execution in self._newest()
            if execution.name not in before and _runs_the_same(execution.template, self._task)
        ]
        return came[-1] if came else None

    def _newest(self) -> list[run_v2.Execution]:
        """Cloud Run lists the newest first."""
        request = run_v2.ListExecutionsRequest(parent=self._job, page_size=_NEWEST)
        timeout = self._call.answer_seconds
        pages = self._clients.executions.list_executions(request, retry=None, timeout=timeout)
        return list(islice(pages, _NEWEST))

    def _ended(self, name: str) -> Execution | None:
        """Judged by the execution alone: its operation may never end."""
        timeout = self._call.answer_seconds
        described = self._clients.executions.get_execution(name=name, retry=None, timeout=timeout)
        self._state = f"{described.name}: {describe(described.conditions)}"
        over = is_over(condition_named("Completed", described.conditions))
        return execution_of(described) if over else None

    def _seen(self) -> str:
        return self._state


def _execution_name(begun: Operation) -> str | None:
    """The operation's metadata is the execution."""
    return str(run_v2.Execution.deserialize(begun.metadata.value).name) or None


def task_template_of(job: Job, baseline: run_v2.Revision, timeout: Timeout) -> run_v2.TaskTemplate:
    """One try, within the time that we wait: nothing goes on when nobody looks any more.

    It runs where the service does, as the same account, with the same storage and network.
    """
    onto = template_of_revision(baseline, run_v2.RevisionTemplate())
    template = template_of(job.settings, job.image, onto)
    container = ingress_container(template)
    container.command = list(job.command)
    # A task listens nowhere, waits for no sidecar, and has its CPU until it ends.
    for field in _OF_A_SERVICE:
        run_v2.Container.pb(container).ClearField(field)
    for field in ("cpu_idle", "startup_cpu_boost"):
        run_v2.ResourceRequirements.pb(container.resources).ClearField(field)
    mounted = {mount.name for mount in container.volume_mounts}
    task = run_v2.TaskTemplate(
        containers=[container],
        volumes=[volume for volume in template.volumes if volume.name in mounted],
        max_retries=0,
        service_account=template.service_account,
        execution_environment=template.execution_environment,
        encryption_key=template.encryption_key,
        vpc_access=template.vpc_access if "vpc_access" in template else None,
        node_selector=template.node_selector if "node_selector" in template else None,
    )
    run_v2.TaskTemplate.pb(task).timeout.FromTimedelta(timeout.within)
    return task


def _runs_the_same(one: run_v2.TaskTemplate, other: run_v2.TaskTemplate) -> bool:
    """True where both run one command of one image with one environment.

    The platform fills in the rest, and may write amounts of CPU and memory in other words.
    """
    return _essence(one) == _essence(other)


def _essence(task: run_v2.TaskTemplate) -> list[tuple[object, ...]]:
    return [
        (one.image, list(one.command), list(one.args), list(one.env), task.max_retries)
        for one in task.containers
    ]
