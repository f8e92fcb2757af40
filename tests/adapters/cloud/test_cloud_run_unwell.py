"""Answers that the local cloud does not give, and that Cloud Run may [?]."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from google.cloud import run_v2
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.longrunning import operations_pb2
from google.rpc import status_pb2

from cloudrun_emulator.server.grpc import GrpcServer
from cloudrun_emulator.server.methods import Binding
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.machine import SystemClock
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Timeout
from greenrun.model.plan import Location
from greenrun.model.revision import Readiness
from greenrun.model.traffic import TrafficSplit
from tests.adapters.cloud.candidates import reading

FAILED = run_v2.Condition.State.CONDITION_FAILED
NOT_READY = status_pb2.Status(code=9, message="Revision 'web-two' is not ready.")
BACK = TrafficSplit.all_to("web-one")
PATIENCE = Timeout(timedelta(seconds=5))


class Unwell:
    """A service whose latest revision never started; it fails every change, obeyed or not."""

    def __init__(self, *, obeys: bool, reconciling: bool = False) -> None:
        self._obeys = obeys
        self._service = run_v2.Service(
            name="projects/p/locations/r/services/web",
            generation=3,
            observed_generation=1,
            reconciling=reconciling,
            latest_created_revision="projects/p/locations/r/services/web/revisions/web-two",
            terminal_condition=run_v2.Condition(type_="Ready", state=FAILED),
        )

    def get_service(self, _: run_v2.GetServiceRequest) -> run_v2.Service:
        return self._service

    def update_service(self, request: run_v2.UpdateServiceRequest) -> operations_pb2.Operation:
        self._service.generation += 1
        self._service.traffic = request.service.traffic
        if self._obeys:
            self._service.traffic_statuses = [
                run_v2.TrafficTargetStatus(
                    type_=target.type_, revision=target.revision, percent=target.percent
                )
                for target in request.service.traffic
            ]
        name = "projects/p/locations/r/operations/o"
        return operations_pb2.Operation(name=name, done=True, error=NOT_READY)


@contextmanager
def platform_of(service: object) -> Iterator[CloudRun]:
    server = GrpcServer((Binding(service, ServicesGrpcTransport),))
    try:
        with closing(GoogleClients(Endpoints(cloud_run=server.address))) as clients:
            yield CloudRun(clients, Location("p", "r"), "web", SystemClock())
    finally:
        server.close()


def test_the_way_back_counts_when_it_holds_though_the_service_is_not_ready() -> None:
    with platform_of(Unwell(obeys=True)) as platform:
        platform.split_traffic(BACK, reading(platform), PATIENCE)
        service = platform.service()
        assert service is not None
        assert (service.readiness, service.actual) == (Readiness.FAILED, BACK)


def test_a_split_that_failed_and_does_not_hold_is_a_failed_call() -> None:
    with (
        platform_of(Unwell(obeys=False)) as platform,
        pytest.raises(CallFailed, match="got FAILED_PRECONDITION: Revision 'web-two' is not"),
    ):
        platform.split_traffic(BACK, reading(platform), PATIENCE)


def test_a_service_that_is_being_changed_has_no_effect_to_speak_of() -> None:
    with (
        platform_of(Unwell(obeys=True, reconciling=True)) as platform,
        pytest.raises(CallFailed, match="FAILED_PRECONDITION"),
    ):
        platform.split_traffic(BACK, reading(platform), PATIENCE)


class Forgetful:
    """Answers reads with these generations, one after the other."""

    def __init__(self, *generations: int) -> None:
        self._generations = iter(generations)

    def get_service(self, _: run_v2.GetServiceRequest) -> run_v2.Service:
        name = "projects/p/locations/r/services/web"
        return run_v2.Service(name=name, uid="u", generation=next(self._generations))


def test_no_reading_is_older_than_one_before() -> None:
    with platform_of(Forgetful(3, 4, 3, 3, 4, 5)) as platform:
        assert [reading(platform).generation for _ in range(4)] == [3, 4, 4, 5]
