"""One local cloud with in-process containers, and adapters in a project of their own per test."""

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
from greenrun.model.interfaces import Timeout
from greenrun.model.plan import Location
from tests.adapters.cloud.candidates import Watcher
from tests.adapters.cloud.programs import TALKERS

_numbers = count(1)


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(InProcessRuntime(TALKERS), EnvoyIngress()) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def clients(cloud: LocalCloud) -> Iterator[GoogleClients]:
    with closing(GoogleClients(Endpoints.all_at(cloud.grpc))) as clients:
        yield clients


@pytest.fixture
def place() -> Location:
    return Location(f"project-{next(_numbers)}", "europe-west1")


@pytest.fixture
def platform(clients: GoogleClients, place: Location) -> Iterator[CloudRun]:
    """The service `web`, which is not there yet; whatever becomes of it is removed."""
    platform = CloudRun(clients, place, "web", SystemClock())
    yield platform
    platform.remove_service(Watcher().timeout)


@pytest.fixture
def counted_by() -> Watcher:
    return Watcher()


@pytest.fixture
def timeout(counted_by: Watcher) -> Timeout:
    return counted_by.timeout
