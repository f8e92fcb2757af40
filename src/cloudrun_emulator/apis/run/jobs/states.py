"""The phases of a task and its execution: their conditions, counts and times."""

from collections import Counter
from collections.abc import Iterable
from enum import Enum, auto

from google.cloud import run_v2
from grpc import StatusCode

from cloudrun_emulator.apis.run.conditions import condition
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.time import now

_State = run_v2.Condition.State
_Reason = run_v2.Condition.ExecutionReason


class Phase(Enum):
    """The outcome that a Completed condition tells."""

    WAITING = auto()
    RUNNING = auto()
    SUCCEEDED = auto()
    FAILED = auto()
    CANCELLED = auto()


_STATES = {
    Phase.WAITING: _State.CONDITION_PENDING,
    Phase.RUNNING: _State.CONDITION_RECONCILING,
    Phase.SUCCEEDED: _State.CONDITION_SUCCEEDED,
    Phase.FAILED: _State.CONDITION_FAILED,
    Phase.CANCELLED: _State.CONDITION_FAILED,
}
_STATUSES = {
    Phase.WAITING: run_v2.ExecutionReference.CompletionStatus.EXECUTION_PENDING,
    Phase.RUNNING: run_v2.ExecutionReference.CompletionStatus.EXECUTION_RUNNING,
    Phase.SUCCEEDED: run_v2.ExecutionReference.CompletionStatus.EXECUTION_SUCCEEDED,
    Phase.FAILED: run_v2.ExecutionReference.CompletionStatus.EXECUTION_FAILED,
    Phase.CANCELLED: run_v2.ExecutionReference.CompletionStatus.EXECUTION_CANCELLED,
}


def enter_phase(
    resource: run_v2.Execution | run_v2.Task, phase: Phase, failure: CloudError | None = None
) -> None:
    """Bring an execution or a task into `phase`; the times follow."""
    if phase is Phase.RUNNING:
        resource.start_time = now()
    elif phase is not Phase.WAITING:
        resource.completion_time = now()
    resource.reconciling = phase in (Phase.WAITING, Phase.RUNNING)
    resource.update_time = now()
    resource.conditions = [_started_condition(phase), _completed_condition(phase, failure)]


def phase_of(resource: run_v2.Execution | run_v2.Task) -> Phase:
    """The phase that its conditions tell."""
    completed = next(one for one in resource.conditions if one.type_ == "Completed")
    if completed.execution_reason == _Reason.CANCELLED:
        return Phase.CANCELLED
    return next(phase for phase, state in _STATES.items() if state == completed.state)


def count_tasks(execution: run_v2.Execution, tasks: Iterable[run_v2.Task]) -> None:
    """Make the counts of an execution those of its tasks."""
    tasks = list(tasks)
    phases = Counter(phase_of(task) for task in tasks)
    execution.running_count = phases[Phase.RUNNING]
    execution.succeeded_count = phases[Phase.SUCCEEDED]
    execution.failed_count = phases[Phase.FAILED]
    execution.cancelled_count = phases[Phase.CANCELLED]
    execution.retried_count = sum(task.retried > 0 for task in tasks)


def execution_reference(execution: run_v2.Execution) -> run_v2.ExecutionReference:
    """Return what a job tells of its latest execution."""
    made = run_v2.ExecutionReference(
        name=execution.name.rpartition("/")[2],
        create_time=execution.create_time,
        completion_status=_STATUSES[phase_of(execution)],
    )
    if "completion_time" in execution:
        made.completion_time = execution.completion_time
    return made


def _started_condition(phase: Phase) -> run_v2.Condition:
    waiting = phase is Phase.WAITING
    return condition("Started", _State.CONDITION_PENDING if waiting else _State.CONDITION_SUCCEEDED)


def _completed_condition(phase: Phase, failure: CloudError | None) -> run_v2.Condition:
    made = condition("Completed", _STATES[phase], message=failure.message if failure else "")
    if phase is Phase.CANCELLED:
        made.execution_reason = _Reason(_Reason.CANCELLED)
    elif failure and failure.code is StatusCode.ABORTED:
        made.execution_reason = _Reason(_Reason.NON_ZERO_EXIT_CODE)
    return made
