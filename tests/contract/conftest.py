"""A local cloud on each runtime, and callers of it over each transport."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count

import pytest
from google.cloud import run_v2

from cloudrun_emulator.core.interfaces import Runtime
from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.docker import DockerRuntime
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from tests.contract.caller import Caller, connect
from tests.contract.programs import IN_PROCESS, program

_RUNTIMES: Mapping[str, Callable[[], Runtime]] = {
    "in-process": lambda: InProcessRuntime(IN_PROCESS),
    "docker": DockerRuntime,
}
_numbers = count(1)


@pytest.fixture(
    scope="module",
    params=["in-process", pytest.param("docker", marks=pytest.mark.docker)],
)
def runtime_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def cloud(runtime_name: str) -> Iterator[LocalCloud]:
    with LocalCloud(_RUNTIMES[runtime_name](), EnvoyIngress()) as cloud:
        yield cloud


@pytest.fixture(params=["grpc", "rest"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def caller(cloud: LocalCloud, runtime_name: str, transport: str) -> Iterator[Caller]:
    """In a project of its own, so that tests may share a cloud; what it served goes with it."""
    number = next(_numbers)
    with (
        connect(run_v2.ServicesClient, cloud, transport) as services,
        connect(run_v2.RevisionsClient, cloud, transport) as revisions,
    ):
        caller = Caller(
            services,
            revisions,
            f"projects/project-{number}/locations/europe-west1",
            f"web-{number}",
            partial(program, runtime_name),
        )
        yield caller
        cloud.faults.clear()
        for service in services.list_services(parent=caller.parent):
            services.delete_service(name=service.name)
