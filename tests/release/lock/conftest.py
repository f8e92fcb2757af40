"""Claims in memory, and as jobs of clouds with strict and with lax etags."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count

import pytest

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.run.leases import CloudRunLeases
from greenrun.model.plan import Location

_numbers = count(1)


@dataclass(frozen=True)
class Region:
    """A place that nobody else uses, in a cloud."""

    cloud: LocalCloud
    clients: GoogleClients
    place: Location

    def leases(self, service: str = "web") -> CloudRunLeases:
        return CloudRunLeases(self.clients, self.place, service, lambda: "in-process/echo")


@pytest.fixture(scope="session")
def strict_cloud() -> Iterator[LocalCloud]:
    with LocalCloud(InProcessRuntime(), EnvoyIngress()) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def lax_cloud() -> Iterator[LocalCloud]:
    with LocalCloud(InProcessRuntime(), EnvoyIngress(), strict_etags=False) as cloud:
        yield cloud


@pytest.fixture
def region_of() -> Iterator[Callable[[LocalCloud], Region]]:
    with ExitStack() as closings:

        def region(cloud: LocalCloud) -> Region:
            clients = closings.enter_context(closing(GoogleClients(Endpoints.all_at(cloud.grpc))))
            return Region(cloud, clients, Location(f"lock-{next(_numbers)}", "europe-west1"))

        yield region


@pytest.fixture(params=["strict", "lax"])
def region(request: pytest.FixtureRequest, region_of: Callable[[LocalCloud], Region]) -> Region:
    return region_of(request.getfixturevalue(f"{request.param}_cloud"))
