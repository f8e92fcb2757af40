"""A caller of the local cloud with the plain official clients, and one service that is its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import grpc
import httpx
from google.api_core.future import polling
from google.api_core.operation import Operation
from google.auth.credentials import AnonymousCredentials
from google.cloud import run_v2
from google.iam.v1 import policy_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from cloudrun_emulator.emulator import LocalCloud

POLLING = polling.DEFAULT_POLLING.with_delay(initial=0.01, maximum=0.1).with_timeout(30)
LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
PINNED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
PUBLIC = policy_pb2.Binding(role="roles/run.invoker", members=["allUsers"])

Client = TypeVar("Client")


def connect(kind: Callable[..., Client], cloud: LocalCloud, transport: str) -> Client:
    """An official client of this class, by `grpc` or `rest`, without credentials."""
    return connect_to(kind, cloud.grpc, cloud.rest, transport)


def connect_to(kind: Callable[..., Client], grpc_: str, rest: str, transport: str) -> Client:
    """As `connect`, to a cloud of these addresses."""
    official: Any = kind
    transport_class = official.get_transport_class(transport)
    if transport == "grpc":
        return kind(transport=transport_class(channel=grpc.insecure_channel(grpc_)))
    anonymous: Any = AnonymousCredentials
    host = rest.removeprefix("http://")
    return kind(transport=transport_class(host=host, url_scheme="http", credentials=anonymous()))


def result(operation: Operation) -> Any:  # noqa: ANN401 - any resource
    """What the operation comes to, asked for more often than the default polling does."""
    untyped: Any = operation
    return untyped.result(polling=POLLING)


def moment(time: Any) -> datetime:  # noqa: ANN401 - a Timestamp to the type checker, a datetime in fact
    """A time of an official message, to be compared with others."""
    assert isinstance(time, datetime)
    return time


def pinned(revision: str, percent: int = 0, tag: str = "") -> run_v2.TrafficTarget:
    return run_v2.TrafficTarget(type_=PINNED, revision=short(revision), percent=percent, tag=tag)


def latest(percent: int = 0, tag: str = "") -> run_v2.TrafficTarget:
    return run_v2.TrafficTarget(type_=LATEST, percent=percent, tag=tag)


def short(name: str) -> str:
    return name.rpartition("/")[2]


@dataclass(frozen=True)
class Caller:
    """`program("crash")` is a container for the runtime that this cloud has."""

    services: run_v2.ServicesClient
    revisions: run_v2.RevisionsClient
    parent: str
    service_id: str
    program: Callable[..., run_v2.Container]

    @property
    def service_name(self) -> str:
        return f"{self.parent}/services/{self.service_id}"

    def template(
        self, program: str = "echo", revision: str = "", **env: str
    ) -> run_v2.RevisionTemplate:
        named = f"{self.service_id}-{revision}" if revision else ""
        containers = [self.program(program, **env)]
        return run_v2.RevisionTemplate(containers=containers, revision=named)

    def begin_create(
        self, program: str = "echo", revision: str = "", **fields: object
    ) -> Operation:
        service = run_v2.Service(template=self.template(program, revision), **fields)
        return self.services.create_service(
            parent=self.parent, service=service, service_id=self.service_id
        )

    def create(self, program: str = "echo", revision: str = "", **fields: object) -> run_v2.Service:
        created: run_v2.Service = result(self.begin_create(program, revision, **fields))
        return created

    def begin_update(self, mask: str, **fields: object) -> Operation:
        service = run_v2.Service(name=self.service_name, **fields)
        return self.services.update_service(
            service=service, update_mask=FieldMask(paths=mask.split(","))
        )

    def update(self, mask: str, **fields: object) -> run_v2.Service:
        updated: run_v2.Service = result(self.begin_update(mask, **fields))
        return updated

    def get(self) -> run_v2.Service:
        return self.services.get_service(name=self.service_name)

    def revision(self, name: str) -> run_v2.Revision:
        return self.revisions.get_revision(name=f"{self.service_name}/revisions/{short(name)}")

    def route(self, *targets: run_v2.TrafficTarget) -> run_v2.Service:
        return self.update("traffic", traffic=targets)

    def grant(self, *bindings: policy_pb2.Binding) -> policy_pb2.Policy:
        policy = policy_pb2.Policy(bindings=bindings)
        return self.services.set_iam_policy({"resource": self.service_name, "policy": policy})


def answering(url: str) -> str:
    """The short name of the revision that answers at `url`."""
    return str(httpx.get(url).raise_for_status().json()["revision"])
