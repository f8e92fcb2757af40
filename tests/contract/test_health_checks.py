"""Probes of containers that have started, and startup that nobody checks."""

from datetime import timedelta

import httpx
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
