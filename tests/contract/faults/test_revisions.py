"""Revisions that are ready late, or never."""

from time import monotonic

import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from grpc import StatusCode

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.faults.registry import Faults
from tests.contract.caller import Caller, answering, pinned, result
from tests.contract.faults.asking import SOON, is_done
from tests.contract.test_deploying import ready

State = run_v2.Condition.State
Common = run_v2.Condition.CommonReason


def test_a_revision_that_never_gets_ready_holds_up_its_deploy_alone(
    caller: Caller, faults: Faults
) -> None:
    caller.create(revision="one", invoker_iam_disabled=True)
    two = f"{caller.service_id}-two"
    fault = faults.add(f"revision {two}: never ready")
    operation = caller.begin_update("template", template=caller.template(revision="two"))
    wait_until(lambda: fault.struck, SOON, "the revision to be held")
    assert ready(caller.revision(two)).state == State.CONDITION_RECONCILING
    assert not is_done(caller, operation)
    service = caller.route(pinned(f"{caller.service_id}-one", 100))
    assert answering(service.uri) == f"{caller.service_id}-one"
    fault.lift()
    result(operation)
    assert ready(caller.revision(two)).state == State.CONDITION_SUCCEEDED


def test_a_revision_that_never_gets_ready_goes_with_its_service(
    caller: Caller, faults: Faults
) -> None:
    fault = faults.add(f"revision {caller.service_id}-*: never ready")
    operation = caller.begin_create()
    wait_until(lambda: fault.struck, SOON, "the revision to be held")
    result(caller.services.delete_service(name=caller.service_name))
    with pytest.raises(exceptions.GoogleAPICallError):
        result(operation)


@pytest.mark.parametrize(
    ("effect", "reason"),
    [
        ("PROGRESS_DEADLINE_EXCEEDED after 200ms", Common.PROGRESS_DEADLINE_EXCEEDED),
        ("CONTAINER_PERMISSION_DENIED", Common.CONTAINER_PERMISSION_DENIED),
    ],
)
def test_a_revision_fails_for_a_reason(
    caller: Caller, faults: Faults, effect: str, reason: Common
) -> None:
    caller.create(revision="one", invoker_iam_disabled=True)
    two = f"{caller.service_id}-two"
    faults.add(f"revision {two}: {effect}")
    operation = caller.begin_update("template", template=caller.template(revision="two"))
    with pytest.raises(exceptions.GoogleAPICallError, match=f"Revision '{two}' is not ready"):
        result(operation)
    assert operation.operation.error.code == StatusCode.FAILED_PRECONDITION.value[0]
    told = ready(caller.revision(two))
    assert (told.state, told.reason) == (State.CONDITION_FAILED, reason)
    assert answering(caller.get().uri) == f"{caller.service_id}-one"


def test_a_revision_may_be_late(caller: Caller, faults: Faults) -> None:
    faults.add(f"revision {caller.service_id}-one: late by 300ms")
    begun = monotonic()
    caller.create(revision="one")
    assert monotonic() - begun > 0.3
