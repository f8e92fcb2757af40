"""`google.cloud.run.v2.Tasks`."""

from google.cloud import run_v2

from cloudrun_emulator.apis.run.jobs.store import ANY, JobStore
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import ResourceName
from cloudrun_emulator.server.pagination import page


class Tasks:
    """Reads the tasks of executions."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def get_task(self, request: run_v2.GetTaskRequest) -> run_v2.Task:
        name = ResourceName.parse(request.name, "jobs", "executions", "tasks")
        execution = ResourceName(name.location, name.path[:-1])
        with self._store.lock:
            for task in self._store.find_execution(execution)[1].tasks:
                if task.name == request.name:
                    return clone(task)
        raise name.missing()

    def list_tasks(self, request: run_v2.ListTasksRequest) -> run_v2.ListTasksResponse:
        """By index, of one execution or (`-`) of every one of a job, or of every job."""
        parent = ResourceName.parse(request.parent, "jobs", "executions")
        job = ResourceName(parent.location, parent.path[:1])
        with self._store.lock:
            found = [
                task
                for record in self._store.executions(job)
                if parent.id in (ANY, record.name.id)
                for task in record.tasks
            ]
            tasks, token = page(found, request.page_size, request.page_token)
            return run_v2.ListTasksResponse(
                tasks=[clone(one) for one in tasks], next_page_token=token
            )
