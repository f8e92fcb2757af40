"""Operations that are late, or never done."""

from datetime import timedelta
from time import monotonic

from google.cloud import run_v2
from google.longrunning import operations_pb2

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.faults.registry import Faults
from tests.contract.caller import Caller, answering, connect, result
from tests.contract.faults.asking import SOON, is_done
from tests.contract.test_jobs import task_program


def _settled(caller: Caller) -> run_v2.Service | None:
    service = caller.get()
    return None if service.reconciling else service


def test_a_late_operation_is_done_later(caller: Caller, faults: Faults) -> None:
    caller.create()
    fault = faults.add("Services.UpdateService: operation late by 1h")
    operation = caller.begin_update("description", description="late")
    assert not operation.operation.done
    assert caller.get().reconciling
    fault.lift()
    assert result(operation).description == "late"


def test_a_late_operation_is_done_by_itself(caller: Caller, faults: Faults) -> None:
    caller.create()
    faults.add("Services.UpdateService: operation late by 200ms")
    begun = monotonic()
    assert caller.update("description", description="late").description == "late"
    assert monotonic() - begun > 0.2


def test_an_operation_that_is_never_done_may_have_done_its_work(
    caller: Caller, faults: Faults
) -> None:
    caller.create(revision="one", invoker_iam_disabled=True)
    fault = faults.add("Services.UpdateService: operation never done")
    operation = caller.begin_update("template", template=caller.template(revision="two"))
    service = wait_until(lambda: _settled(caller), SOON, "the work to be done")
    assert answering(service.uri) == f"{caller.service_id}-two"
    assert not is_done(caller, operation)
    fault.lift()
    assert result(operation) == service


def test_an_operation_that_never_begins_leaves_the_world_as_it_was(
    caller: Caller, faults: Faults
) -> None:
    before = caller.create(revision="one", invoker_iam_disabled=True)
    fault = faults.add("Services.UpdateService: operation never begun, once")
    operation = caller.begin_update("template", template=caller.template(revision="two"))
    wait = operations_pb2.WaitOperationRequest(name=operation.operation.name)
    wait.timeout.FromTimedelta(timedelta(milliseconds=300))
    caller.services.wait_operation(wait)
    assert not is_done(caller, operation)
    assert caller.get().reconciling
    assert answering(before.uri) == f"{caller.service_id}-one"
    fault.lift()
    assert answering(result(operation).uri) == f"{caller.service_id}-two"


def test_a_job_that_never_begins_has_no_running_task(
    caller: Caller, cloud: LocalCloud, faults: Faults, transport: str, runtime_name: str
) -> None:
    task = run_v2.TaskTemplate(containers=[task_program(runtime_name)], max_retries=0)
    job = run_v2.Job(template={"template": task})
    with connect(run_v2.JobsClient, cloud, transport) as jobs:
        result(jobs.create_job(parent=caller.parent, job=job, job_id="migrate"))
        fault = faults.add("Jobs.RunJob of migrate: operation never begun")
        operation = jobs.run_job(name=f"{caller.parent}/jobs/migrate")
        assert not is_done(caller, operation)
        assert operation.metadata.running_count == 0
        fault.lift()
        assert result(operation).succeeded_count == 1
