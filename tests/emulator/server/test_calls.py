"""The account of calls: what it keeps, and what each call is about."""

from typing import Any

import pytest
from google.cloud import run_v2
from google.cloud.logging_v2.types import ListLogEntriesRequest
from google.iam.v1 import iam_policy_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.registry import methods
from cloudrun_emulator.server.calls import CallLog, RpcCall

PARENT = "projects/p/locations/r"
WEB = f"{PARENT}/services/web"
METHODS = {method.rpc: method for method in methods()}


def test_it_is_bounded() -> None:
    calls = CallLog(kept=2)
    for resource in "abc":
        calls.add(RpcCall("Services.GetService", resource))
    assert [call.resource for call in calls] == ["b", "c"]
    assert repr(calls) == "CallLog(2)"
    calls.clear()
    assert len(calls) == 0


@pytest.mark.parametrize(
    ("rpc", "request_", "resource"),
    [
        ("Services.GetService", run_v2.GetServiceRequest(name=WEB), WEB),
        (
            "Services.CreateService",
            run_v2.CreateServiceRequest(parent=PARENT, service_id="web"),
            WEB,
        ),
        ("Services.UpdateService", run_v2.UpdateServiceRequest(service={"name": WEB}), WEB),
        ("Services.ListServices", run_v2.ListServicesRequest(parent=PARENT), PARENT),
        ("Services.SetIamPolicy", iam_policy_pb2.SetIamPolicyRequest(resource=WEB), WEB),
        (
            "Jobs.UpdateJob",
            run_v2.UpdateJobRequest(job={"name": f"{PARENT}/jobs/j"}),
            f"{PARENT}/jobs/j",
        ),
        (
            "LoggingServiceV2.ListLogEntries",
            ListLogEntriesRequest(resource_names=["projects/p"]),
            "projects/p",
        ),
        ("LoggingServiceV2.ListLogEntries", ListLogEntriesRequest(), ""),
    ],
)
def test_a_call_knows_what_it_is_about(rpc: str, request_: Any, resource: str) -> None:  # noqa: ANN401 - any official message
    call = RpcCall.of(METHODS[rpc], request_)
    assert (call.rpc, call.resource, call.code) == (rpc, resource, None)


def test_every_request_has_a_resource_that_can_be_told() -> None:
    for method in METHODS.values():
        assert isinstance(RpcCall.of(method, method.request()).resource, str)


def test_changes_are_what_was_carried_out_and_is_no_read() -> None:
    calls = CallLog()
    calls.add(RpcCall("Services.GetService", WEB, carried_out=True))
    calls.add(RpcCall("Services.UpdateService", WEB, code=StatusCode.ABORTED))
    calls.add(RpcCall("Services.UpdateService", WEB, validate_only=True, carried_out=True))
    lost = RpcCall("Services.UpdateService", WEB, code=StatusCode.UNAVAILABLE, carried_out=True)
    calls.add(lost)
    assert calls.changes() == [lost]
