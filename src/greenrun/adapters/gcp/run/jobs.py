"""Jobs of Cloud Run: commands of an image that run to their end."""

from datetime import timedelta

from google.cloud import run_v2

from greenrun.adapters.gcp.calls import refusal, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.executions import DOUBT, Run
from greenrun.adapters.gcp.run.operations import Operation
from greenrun.adapters.gcp.run.removals import Removal
from greenrun.adapters.gcp.run.retrying_call import RetryingCall
from greenrun.adapters.gcp.run.tasks import runs_the_same, task_template_of
from greenrun.adapters.waiting import Wait
from greenrun.model.interfaces import Clock, Execution, Job, Timeout
from greenrun.model.plan import Location

_SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED


class Jobs:
    """The jobs of one place."""

    def __init__(self, clients: GoogleClients, place: Location, clock: Clock) -> None:
        self._clients = clients
        self._place = place
        self._clock = clock

    def run(self, job: Job, timeout: Timeout) -> Execution:
        """Replace the job as a whole, run it once, and judge what came of it."""
        name, hint = self._name(job.name), self._hint(job.name)
        task = task_template_of(job, timeout)
        wait = Wait(f"{name} to be written (UpdateJob)", timeout, self._clock)
        with refused(f"write {name} (UpdateJob)", hint):
            self._write(name, task, self._sending(wait, hint))
        wait.goes_on(f"{name} to end (RunJob)")
        return Run(self._clients, name, task, self._sending(wait, hint, DOUBT)).make()

    def remove(self, name: str, timeout: Timeout) -> None:
        """Delete a job with its executions."""
        full, jobs, hint = self._name(name), self._clients.jobs, self._hint(name)
        wait = Wait(f"{full} to be gone (DeleteJob)", timeout, self._clock)
        Removal(
            f"delete {full} (DeleteJob)",
            lambda timeout: jobs.delete_job(name=full, retry=None, timeout=timeout).operation,
            lambda timeout: jobs.get_job(name=full, retry=None, timeout=timeout),
        ).make(self._sending(wait, hint))

    def _write(self, name: str, task: run_v2.TaskTemplate, sending: RetryingCall) -> None:
        """UpdateJob replaces the whole job: to send it again does no harm."""
        wanted = run_v2.Job(name=name, template=run_v2.ExecutionTemplate(template=task))
        request = run_v2.UpdateJobRequest(job=wanted, allow_missing=True)

        def send(timeout: float) -> Operation:
            begun: Operation = self._clients.jobs.update_job(
                request, retry=None, timeout=timeout
            ).operation
            return begun

        def taken() -> Operation | None:
            return sending.send(send) if sending.due else None

        sending.until(taken, lambda: "the job is not written yet")
        sending.until(lambda: self._written(wanted, sending), lambda: "the job is not ready yet")

    def _written(self, wanted: run_v2.Job, sending: RetryingCall) -> bool | None:
        if sending.following.succeeded:
            return True
        timeout = sending.answer_seconds
        live = self._clients.jobs.get_job(name=wanted.name, retry=None, timeout=timeout)
        same = runs_the_same(live.template.template, wanted.template.template)
        if same and not live.reconciling and live.terminal_condition.state == _SUCCEEDED:
            return True
        if sending.following.error:
            raise refusal(f"write {wanted.name} (UpdateJob)", sending.following.error, sending.hint)
        sending.look()
        return None

    def _sending(self, wait: Wait, hint: str, doubt: timedelta = timedelta()) -> RetryingCall:
        return RetryingCall(self._clients.services, wait, self._clock, hint, doubt)

    def _name(self, job: str) -> str:
        return f"{self._place.parent}/jobs/{job}"

    def _hint(self, job: str) -> str:
        place = f"--region {self._place.region} --project {self._place.project}"
        return f"`gcloud run jobs executions list --job {job} {place}` tells whether it still runs"
