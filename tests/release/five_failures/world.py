"""The service of a test, and what people's scripts do to it with the plain client."""

from dataclasses import dataclass
from datetime import timedelta

import httpx
from google.cloud import run_v2

from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.model.interfaces import NewRevision, Timeout
from greenrun.model.plan import Location
from greenrun.model.revision import ContainerProbe, RevisionSettings
from greenrun.model.service import Service
from greenrun.model.traffic import TrafficSplit

PATIENCE = Timeout(timedelta(seconds=10))
SOON = 10.0
OLD, NEW = "web-old", "web-new"
TYPE = run_v2.TrafficTargetAllocationType
LATEST = TYPE.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
REVISION = TYPE.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


@dataclass(frozen=True)
class World:
    """`client` is what scripts use, `ours` what releases of greenrun do."""

    clients: GoogleClients
    ours: CloudRun
    place: Location

    @property
    def client(self) -> run_v2.ServicesClient:
        return self.clients.services

    @property
    def name(self) -> str:
        return f"{self.place.parent}/services/web"

    def begin(self) -> None:
        self.ours.create(new(OLD), PATIENCE)
        self.ours.let_all_invoke()

    def end(self) -> None:
        self.ours.remove_service(PATIENCE)

    def raw(self) -> run_v2.Service:
        """As scripts read it."""
        return self.client.get_service(name=self.name)

    def reading(self) -> Service:
        """As we read it."""
        service = self.ours.service()
        assert service is not None
        return service

    def update(self, service: run_v2.Service, *fields: str) -> run_v2.Service:
        """As scripts change it: these fields, or all of it; waits for the operation alone."""
        request = run_v2.UpdateServiceRequest(service=service, update_mask={"paths": fields})
        operation = self.client.update_service(request)
        done: run_v2.Service = operation.result(timeout=SOON)  # type: ignore[no-untyped-call] # bare there
        return done

    def split(self, *targets: run_v2.TrafficTarget) -> run_v2.Service:
        """As scripts move traffic."""
        return self.update(run_v2.Service(name=self.name, traffic=targets), "traffic")

    def is_healthy(self) -> bool:
        """What scripts ask at last."""
        return httpx.get(self.raw().uri).status_code == 200

    def answering(self) -> str:
        """The revision that users reach."""
        return str(httpx.get(self.raw().uri).raise_for_status().json()["revision"])

    def variable(self, name: str) -> str:
        """A variable of the process that users reach."""
        return str(httpx.get(self.raw().uri).raise_for_status().json()["env"][name])


def new(name: str, program: str = "echo", **settings: object) -> NewRevision:
    """A revision that we want."""
    probe = ContainerProbe(period=timedelta(seconds=1), failure_threshold=5)
    wanted = RevisionSettings(**{"startup_probe": probe, **settings})  # type: ignore[arg-type] # keywords as RevisionSettings has them
    return NewRevision(name, f"in-process/{program}", wanted)


def template(name: str, program: str = "echo") -> run_v2.RevisionTemplate:
    """A revision that a script wants."""
    container = run_v2.Container(image=f"in-process/{program}")
    return run_v2.RevisionTemplate(revision=name, containers=[container])


def to(revision: str, percent: int = 100, tag: str = "") -> run_v2.TrafficTarget:
    """A share as scripts write it."""
    return run_v2.TrafficTarget(type_=REVISION, revision=revision, percent=percent, tag=tag)


def all_to(revision: str) -> TrafficSplit:
    """Everything, as we write it."""
    return TrafficSplit.all_to(revision)
