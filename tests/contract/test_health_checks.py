"""Probes of containers that have started, and startup that nobody checks."""

from datetime import timedelta

import grpc
import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from cloudrun_emulator.core.time import wait_until
from tests.contract.caller import Caller

SOON = timedelta(seconds=30)


def test_an_instance_that_is_not_alive_is_replaced(caller: Caller) -> None:
    template = caller.template("resident")
    template.containers[0].liveness_probe = run_v2.Probe(
        http_get={"path": "/alive"}, period_seconds=1, failure_threshold=1
    )
    caller.create(invoker_iam_disabled=True)
    uri = caller.update("template", template=template).uri
    first = httpx.get(f"{uri}/instance").json()["id"]
    assert httpx.get(f"{uri}/sicken").status_code == 200

    def replaced() -> bool:
        answer = httpx.get(f"{uri}/instance")
        return answer.status_code == 200 and answer.json()["id"] != first

    wait_until(replaced, SOON, "a new instance")


def test_without_health_checks_a_deaf_container_is_a_revision(caller: Caller) -> None:
    caller.create(invoker_iam_disabled=True)
    template = caller.template("deaf")
    template.health_check_disabled = True
    service = caller.update("template", template=template)
    assert service.latest_ready_revision == service.latest_created_revision
    assert httpx.get(service.uri).status_code == 503


def test_what_speaks_grpc_is_probed_by_grpc_and_called_over_http2(
    caller: Caller, runtime_name: str
) -> None:
    if runtime_name == "docker":
        pytest.skip("the base image has nothing that speaks gRPC")
    template = caller.template("grpc")
    template.containers[0].ports = [run_v2.ContainerPort(name="h2c", container_port=50051)]
    template.containers[0].startup_probe = run_v2.Probe(grpc={})
    caller.create(invoker_iam_disabled=True)
    uri = caller.update("template", template=template).uri
    with grpc.insecure_channel(uri.removeprefix("http://")) as channel:
        echo = channel.unary_unary("/test.Echoes/Echo", None, None)
        assert echo(b"hello", timeout=10) == b"hello"


def test_what_speaks_no_grpc_fails_a_grpc_probe(caller: Caller) -> None:
    caller.create()
    template = caller.template()
    template.containers[0].startup_probe = run_v2.Probe(
        grpc={}, period_seconds=1, failure_threshold=1
    )
    with pytest.raises(exceptions.GoogleAPICallError, match="failed the configured startup probe"):
        caller.update("template", template=template)
