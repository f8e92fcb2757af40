"""Logging, by its official client: what containers wrote, what the ingress answered."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import grpc
import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import (
    LoggingServiceV2GrpcTransport,
)
from google.cloud.logging_v2.types import LogEntry

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.emulator import LocalCloud
from tests.contract.caller import Caller, connect, result, short
from tests.contract.test_jobs import task_program

SOON = timedelta(seconds=10)

Search = Callable[[str], list[LogEntry]]


@pytest.fixture
def transport() -> str:
    return "grpc"


@pytest.fixture
def client(cloud: LocalCloud) -> Iterator[LoggingServiceV2Client]:
    channel = grpc.insecure_channel(cloud.grpc)
    transport = LoggingServiceV2GrpcTransport(channel=channel)
    with LoggingServiceV2Client(transport=transport) as client:
        yield client


@pytest.fixture
def search(client: LoggingServiceV2Client, caller: Caller) -> Search:
    def search(text: str) -> list[LogEntry]:
        project = "/".join(caller.parent.split("/")[:2])
        request = {
            "resource_names": [project],
            "filter": f'resource.labels.service_name="{caller.service_id}" AND {text}',
            "page_size": 2,
        }
        return list(client.list_log_entries(request))

    return search


def test_what_a_container_wrote_is_found_after_it_failed(caller: Caller, search: Search) -> None:
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.create("crash", revision="one")
    (entry,) = wait_until(lambda: search('textPayload:"always crashes"'), SOON, "the last words")
    assert entry.log_name.endswith("/logs/run.googleapis.com%2Fstderr")
    assert entry.resource.labels["revision_name"] == f"{caller.service_id}-one"
    assert entry.resource.labels["location"] == "europe-west1"
    assert entry.labels["container_name"] == f"{caller.service_id}-1"


def test_the_platform_says_why_an_instance_did_not_start(caller: Caller, search: Search) -> None:
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.create("crash", revision="one")
    said = search('logName:"varlog%2Fsystem"')
    assert [(entry.severity, entry.text_payload) for entry in said] == [
        (400, "Container called exit(1)."),
        (
            500,
            (
                "Default STARTUP TCP probe failed 1 time consecutively for container "
                f'"{caller.service_id}-1" on port 8080. The instance was not started.'
            ),
        ),
    ]


def test_the_platform_says_that_an_instance_was_not_alive(caller: Caller, search: Search) -> None:
    template = caller.template("resident")
    template.containers[0].liveness_probe = run_v2.Probe(
        http_get={"path": "/alive"}, period_seconds=1, failure_threshold=2
    )
    caller.create(invoker_iam_disabled=True)
    uri = caller.update("template", template=template).uri
    httpx.get(f"{uri}/sicken")
    found = wait_until(lambda: search("severity>=ERROR AND textPayload:LIVENESS"), SOON, "its end")
    assert found[0].text_payload == (
        "LIVENESS HTTP probe failed 2 times consecutively for container "
        f'"{caller.service_id}-1" on path "/alive". The instance has been shut down.'
    )


def test_requests_are_found_by_revision_and_status(caller: Caller, search: Search) -> None:
    uri = caller.create(revision="one", invoker_iam_disabled=True).uri
    for status in (200, 200, 200, 404, 500):
        httpx.get(f"{uri}/status/{status}", headers={"user-agent": "prober"})
    revision = f'resource.labels.revision_name="{caller.service_id}-one"'
    requests = f'{revision} AND logName:"requests" AND httpRequest.userAgent="prober"'
    wait_until(lambda: len(search(requests)) == 5, SOON, "five requests in the log")
    (failed,) = search(f"{requests} AND severity>=ERROR")
    assert failed.http_request.status == 500
    assert failed.http_request.request_url == f"{uri}/status/500"
    assert failed.http_request.latency.ToTimedelta() > timedelta()
    assert len(search(f"{requests} AND httpRequest.status<300")) == 3


def test_a_task_tells_its_place_and_is_found_by_its_execution(
    caller: Caller, cloud: LocalCloud, client: LoggingServiceV2Client, runtime_name: str
) -> None:
    task = run_v2.TaskTemplate(containers=[task_program(runtime_name)], max_retries=0)
    job = run_v2.Job(template={"template": task, "task_count": 2, "parallelism": 1})
    with connect(run_v2.JobsClient, cloud, "grpc") as jobs:
        result(jobs.create_job(parent=caller.parent, job=job, job_id="migrate"))
        execution = result(jobs.run_job(name=f"{caller.parent}/jobs/migrate"))
    name = short(execution.name)
    request = {
        "resource_names": ["/".join(caller.parent.split("/")[:2])],
        "filter": 'resource.type="cloud_run_job" AND resource.labels.job_name="migrate" AND '
        f'labels."run.googleapis.com/execution_name"="{name}" AND textPayload:"CLOUD_RUN_"',
    }
    told = [
        entry.text_payload.removeprefix("CLOUD_RUN_") for entry in client.list_log_entries(request)
    ]
    assert sorted(told) == sorted(
        ["JOB=migrate", f"EXECUTION={name}", "TASK_COUNT=2", "TASK_ATTEMPT=0"] * 2
        + ["TASK_INDEX=0", "TASK_INDEX=1"]
    )


def test_a_filter_that_is_not_understood_is_refused(search: Search) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="protoPayload"):
        search("protoPayload.a=1")
