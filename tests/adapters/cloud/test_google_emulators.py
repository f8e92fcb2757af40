"""An emulator that has ended is told of at once; one that is merely unwell is waited for."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from greenrun.adapters.gcp.calls import ANSWER_SECONDS
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.machine import SystemClock
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Timeout
from greenrun.model.plan import Location
from greenrun.model.traffic import TrafficSplit
from tests.adapters.cloud.candidates import reading, revision
from tests.adapters.cloud.programs import TALKERS

PATIENCE = Timeout(timedelta(seconds=4 * ANSWER_SECONDS))


@pytest.fixture
def mortal() -> Iterator[LocalCloud]:
    """A cloud that a test may end."""
    with LocalCloud(InProcessRuntime(TALKERS), EnvoyIngress()) as cloud:
        yield cloud


@pytest.fixture
def platform(mortal: LocalCloud, place: Location) -> Iterator[CloudRun]:
    with closing(GoogleClients(Endpoints.all_at(mortal.grpc))) as clients:
        platform = CloudRun(clients, place, "web", SystemClock())
        platform.create(revision("one"), PATIENCE)
        yield platform


@pytest.mark.parametrize(
    "ask",
    [
        CloudRun.service,
        CloudRun.revisions,
        CloudRun.let_all_invoke,
        lambda platform: platform.remove_service(PATIENCE),
    ],
    ids=["one call", "many pages", "a reading and a change", "a change that is awaited"],
)
def test_nobody_waits_for_an_emulator_that_has_ended(
    ask: Callable[[CloudRun], object], platform: CloudRun, mortal: LocalCloud
) -> None:
    platform.service()
    mortal.close()

    began = time.monotonic()
    with pytest.raises(CallFailed, match=f"the emulator at {mortal.grpc} has ended") as told:
        ask(platform)
    assert told.value.hint == "start it again; what it held is lost"
    assert time.monotonic() - began < ANSWER_SECONDS / 2


def test_a_change_is_given_up_as_well(platform: CloudRun, mortal: LocalCloud) -> None:
    before = reading(platform)
    mortal.close()
    with pytest.raises(CallFailed, match=f"the emulator at {mortal.grpc} has ended"):
        platform.split_traffic(TrafficSplit.all_to("web-one"), before, PATIENCE)


def test_one_that_is_unavailable_for_a_while_is_waited_for(
    platform: CloudRun, mortal: LocalCloud
) -> None:
    before = reading(platform)
    mortal.faults.add("Services.GetService: UNAVAILABLE, 3 times")
    assert reading(platform).wanted == before.wanted
