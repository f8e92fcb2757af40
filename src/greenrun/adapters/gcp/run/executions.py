"""The execution of a job: begun once, whatever answers get lost, and followed to its end."""

from datetime import timedelta
from itertools import islice

from google.cloud import run_v2

from greenrun.adapters.gcp.calls import refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.from_proto import condition_named, describe, execution_of, is_over
from greenrun.adapters.gcp.run.operations import Operation
from greenrun.adapters.gcp.run.retrying_call import RetryingCall
from greenrun.adapters.gcp.run.tasks import runs_the_same
from greenrun.model.interfaces import Execution

DOUBT = timedelta(seconds=2)
"""How long to look for an execution, after an answer that got lost, before another is begun."""

_NEWEST = 100


class Run:
    """One run of a job that stands as it shall be.

    RunJob is not idempotent. Where its answer got lost, an execution that was not there before is
    the one that it began; only where none shows itself it is sent again.
    """

    def __init__(
        self, clients: GoogleClients, job: str, task: run_v2.TaskTemplate, sending: RetryingCall
    ) -> None:
        """`job` is its full name."""
        self._clients = clients
        self._job = job
        self._task = task
        self._sending = sending
        self._state = "no execution"

    def make(self) -> Execution:
        """Begin it, and return once it has ended, well or not."""
        with refused(f"run {self._job} (RunJob)", self._sending.hint):
            before = self._sending.until(self._names, self._seen)
            name = self._sending.until(lambda: self._begun(before), self._seen)
        with refused(f"read {name} (GetExecution)", self._sending.hint):
            return self._sending.until(lambda: self._ended(name), self._seen)

    def _begun(self, before: frozenset[str]) -> str | None:
        if self._sending.possible and (name := self._new(before)):
            return name
        if self._sending.accepted or not self._sending.due:
            return None
        begun = self._sending.send(self._send)
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
            if execution.name not in before and runs_the_same(execution.template, self._task)
        ]
        return came[-1] if came else None

    def _newest(self) -> list[run_v2.Execution]:
        """Cloud Run lists the newest first."""
        request = run_v2.ListExecutionsRequest(parent=self._job, page_size=_NEWEST)
        timeout = self._sending.answer_seconds
        pages = self._clients.executions.list_executions(request, retry=None, timeout=timeout)
        return list(islice(pages, _NEWEST))

    def _ended(self, name: str) -> Execution | None:
        """Judged by the execution alone: its operation may never end."""
        timeout = self._sending.answer_seconds
        described = self._clients.executions.get_execution(name=name, retry=None, timeout=timeout)
        self._state = f"{described.name}: {describe(described.conditions)}"
        over = is_over(condition_named("Completed", described.conditions))
        return execution_of(described) if over else None

    def _seen(self) -> str:
        return self._state


def _execution_name(begun: Operation) -> str | None:
    """The operation's metadata is the execution."""
    return str(run_v2.Execution.deserialize(begun.metadata.value).name) or None
