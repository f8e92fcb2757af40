"""A local cloud, a service on it, and two ways to release it: as people write it, and ours."""

from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.machine import SystemClock
from greenrun.model.plan import Location
from tests.release.five_failures.world import World

_numbers = count(1)


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """With lax etags, which is what Cloud Run was seen to have."""
    with LocalCloud(InProcessRuntime(), EnvoyIngress(), strict_etags=False) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def clients(cloud: LocalCloud) -> Iterator[GoogleClients]:
    with closing(GoogleClients(Endpoints.all_at(cloud.grpc))) as clients:
        yield clients


@pytest.fixture
def world(cloud: LocalCloud, clients: GoogleClients) -> Iterator[World]:
    """The public service `web`, whose revision `web-old` serves everybody, as the latest."""
    place = Location(f"failures-{next(_numbers)}", "europe-west1")
    world = World(clients, CloudRun(clients, place, "web", SystemClock()), place)
    world.begin()
    yield world
    cloud.faults.clear()
    world.end()
