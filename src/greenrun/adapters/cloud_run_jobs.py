"""Jobs of Cloud Run: commands of an image that run to their end."""

from google.api_core.exceptions import NotFound
from google.cloud import run_v2

from greenrun.adapters.cloud_run_operations import Operation, outcome, succeed
from greenrun.adapters.cloud_run_reading import describe, execution_of
from greenrun.adapters.cloud_run_settings import template_of
from greenrun.adapters.google_calls import ANSWER_SECONDS, PATIENT, refused
from greenrun.adapters.google_clients import GoogleClients
from greenrun.adapters.waiting import Wait
from greenrun.domain.plan import Place
from greenrun.ports import Clock, Execution, Job, Patience


class Jobs:
    """The jobs of one place."""

    def __init__(self, clients: GoogleClients, place: Place, clock: Clock) -> None:
        self._clients = clients
        self._place = place
        self._clock = clock

    def run(self, job: Job, patience: Patience) -> Execution:
        """Replace the job as a whole, run it, and judge what came of it."""
        wait = Wait(f"job {job.name} to end", patience, self._clock)
        self._put(job, patience, wait)
        with refused(f"run job {job.name}"):
            name = self._name(job.name)
            begun = self._clients.jobs.run_job(name=name, timeout=ANSWER_SECONDS).operation
            execution = _execution_name(begun)
            outcome(self._clients.services, begun, wait, lambda: self._seen(execution))
        # However the operation ended, the execution says how many tasks succeeded: a cancelled one
        # ends with a response.
        return execution_of(self._execution(execution))

    def remove(self, name: str, patience: Patience) -> None:
        """Delete a job with its executions."""
        wait = Wait(f"job {name} to be deleted", patience, self._clock)
        with refused(f"delete job {name}"):
            try:
                full = self._name(name)
                begun = self._clients.jobs.delete_job(name=full, timeout=ANSWER_SECONDS).operation
            except NotFound:
                return
            self._follow(begun, wait)

    def _put(self, job: Job, patience: Patience, wait: Wait) -> None:
        template = run_v2.ExecutionTemplate(template=task_template_of(job, patience))
        wanted = run_v2.Job(name=self._name(job.name), template=template)
        request = run_v2.UpdateJobRequest(job=wanted, allow_missing=True)
        with refused(f"write job {job.name}"):
            begun = self._clients.jobs.update_job(request, timeout=ANSWER_SECONDS).operation
            self._follow(begun, wait)

    def _follow(self, begun: Operation, wait: Wait) -> None:
        succeed(self._clients.services, begun, wait, lambda: "it is still being written")

    def _execution(self, name: str) -> run_v2.Execution:
        with refused(f"read execution {name}"):
            client = self._clients.executions
            return client.get_execution(name=name, retry=PATIENT, timeout=ANSWER_SECONDS)

    def _seen(self, name: str) -> str:
        return describe(self._execution(name).conditions)

    def _name(self, job: str) -> str:
        return f"{self._place.parent}/jobs/{job}"


def task_template_of(job: Job, patience: Patience) -> run_v2.TaskTemplate:
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
    run_v2.TaskTemplate.pb(task).timeout.FromTimedelta(patience.within)
    return task


def _execution_name(begun: Operation) -> str:
    return str(run_v2.Execution.deserialize(begun.metadata.value).name)
