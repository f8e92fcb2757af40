"""What faults hold is let go when the cloud ends."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from time import monotonic

import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from requests import RequestException

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from tests.contract.caller import connect

SOON = timedelta(seconds=10)
CUT_OFF = (exceptions.GoogleAPICallError, RequestException)


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize(
    "fault",
    [
        "Services.CreateService: reply late by 1h",
        "Services.CreateService: operation late by 1h",
        "Services.CreateService: operation never begun",
        "Services.CreateService: operation never done",
        "revision *: never ready",
    ],
)
def test_a_cloud_ends_at_once_whatever_is_held(fault: str, transport: str) -> None:
    with ThreadPoolExecutor() as threads:
        with LocalCloud(InProcessRuntime(), EnvoyIngress()) as cloud:
            held = cloud.faults.add(fault)
            client = connect(run_v2.ServicesClient, cloud, transport)
            service = run_v2.Service(template={"containers": [{"image": "in-process/echo"}]})
            request = run_v2.CreateServiceRequest(
                parent="projects/p/locations/r", service=service, service_id="web"
            )
            call = threads.submit(client.create_service, request)
            wait_until(lambda: held.struck, SOON, "the fault to strike")
            start = monotonic()
        assert monotonic() - start < 3
        with suppress(*CUT_OFF):  # answered or cut off, but not waiting any more
            call.result(SOON.total_seconds())
