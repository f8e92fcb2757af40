"""The state of jobs: official messages under one lock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event, RLock

from google.cloud import run_v2

from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.resource_names import Location, ResourceName

ANY = "-"
"""Stands for every id in the parent of a list."""


@dataclass(slots=True)
class ExecutionRecord:
    """An execution and its tasks by index.

    `stopping` is set when no task may go on: somebody cancelled, or a task failed for good.
    """

    execution: run_v2.Execution
    tasks: list[run_v2.Task]
    stopping: Event = field(default_factory=Event)
    ended: Event = field(default_factory=Event)
    failure: CloudError | None = None

    @property
    def name(self) -> ResourceName:
        """The full name of the execution, in its parts."""
        return ResourceName.parse(self.execution.name, "jobs", "executions")

    def cancel(self) -> None:
        """Wish that it end early; one that has ended stays as it is."""
        self.stopping.set()


@dataclass(slots=True)
class JobRecord:
    """A job and its executions by short name, the oldest first."""

    job: run_v2.Job
    executions: dict[str, ExecutionRecord] = field(default_factory=dict)

    @property
    def name(self) -> ResourceName:
        """The full name of the job, in its parts."""
        return ResourceName.parse(self.job.name, "jobs")


class JobStore:
    """Every job by its full name; `lock` guards whatever hangs on them."""

    def __init__(self) -> None:
        self.lock = RLock()
        self._records: dict[str, JobRecord] = {}

    def __contains__(self, name: ResourceName) -> bool:
        return str(name) in self._records

    def of(self, location: Location) -> Iterator[JobRecord]:
        """The jobs of a location, newest first."""
        for record in reversed(list(self._records.values())):
            if record.name.location == location:
                yield record

    def executions(self, parent: ResourceName) -> Iterator[ExecutionRecord]:
        """Return those of one job or of any in the location, newest first."""
        for record in self.of(parent.location):
            if parent.id in (ANY, record.name.id):
                yield from reversed(list(record.executions.values()))

    def every_execution(self) -> Iterator[ExecutionRecord]:
        """Return those of every job."""
        for record in self._records.values():
            yield from record.executions.values()

    def find(self, name: ResourceName) -> JobRecord:
        """Raise NOT_FOUND for a job that is not there."""
        record = self._records.get(str(name))
        if record is None:
            raise name.missing()
        return record

    def find_execution(self, name: ResourceName) -> tuple[JobRecord, ExecutionRecord]:
        """Raise NOT_FOUND for an execution that is not there, or whose job is not."""
        record = self._records.get(name.parent)
        if record is None or name.id not in record.executions:
            raise name.missing()
        return record, record.executions[name.id]

    def add(self, record: JobRecord) -> None:
        """Raise ALREADY_EXISTS for a name that is taken."""
        if record.name in self:
            raise record.name.taken()
        self._records[record.job.name] = record

    def remove(self, record: JobRecord) -> None:
        self._records.pop(record.job.name, None)
