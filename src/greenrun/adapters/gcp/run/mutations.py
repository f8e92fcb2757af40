"""What may be wished of a service: how each is asked for, and how it shows that it holds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from google.cloud import run_v2
from google.cloud.run_v2 import ServicesClient
from google.protobuf import field_mask_pb2

from greenrun.adapters.gcp.run.from_proto import (
    condition_named,
    reason_of,
    service_of,
    short,
    traffic_of,
)
from greenrun.adapters.gcp.run.operations import Operation
from greenrun.adapters.gcp.run.to_proto import template_of
from greenrun.model.errors import CallFailed, GateClosed
from greenrun.model.interfaces import NewRevision
from greenrun.model.revision import Readiness, Revision
from greenrun.model.traffic import TrafficSplit

_Mode = run_v2.ServiceScaling.ScalingMode
_FAILED = run_v2.Condition.State.CONDITION_FAILED

Look = Callable[[str], Revision | None]
"""One reading of a revision by its short name, which may raise what Google's clients raise."""


class Mutation(Protocol):
    """A change of a service."""

    def of(self, service: str) -> str:
        """What it is in words, which complete `could not ...` and name the call."""

    def send(self, client: ServicesClient, live: run_v2.Service, timeout: float) -> Operation:
        """Ask for it, once, of the service as it was just read."""

    def stands_in(self, live: run_v2.Service) -> bool:
        """True where it is what was last asked for."""

    def holds_in(self, live: run_v2.Service) -> bool:
        """True where it has taken effect."""

    def judge(self, live: run_v2.Service) -> None:
        """Raise GateClosed or CallFailed where it never will."""


@dataclass(frozen=True)
class Split:
    """A traffic split, and nothing else.

    It holds when it is the actual one, though the service may not be well for another reason, say
    that its latest revision never started: what counts is who serves.
    """

    split: TrafficSplit

    def of(self, service: str) -> str:
        return f"give {service} the split {self.split} (UpdateService)"

    def send(self, client: ServicesClient, live: run_v2.Service, timeout: float) -> Operation:
        change = run_v2.Service(name=live.name, traffic=traffic_of(self.split), etag=live.etag)
        return update(client, change, "traffic", timeout=timeout)

    def stands_in(self, live: run_v2.Service) -> bool:
        return service_of(live).wanted.matches(self.split)

    def holds_in(self, live: run_v2.Service) -> bool:
        return is_at_rest(live) and service_of(live).actual.matches(self.split)

    def judge(self, live: run_v2.Service) -> None:
        routes = condition_named("RoutesReady", live.conditions)
        if is_at_rest(live) and routes.state == _FAILED:
            raise CallFailed(
                f"could not {self.of(live.name)}: got {reason_of(routes)}: {routes.message}",
                hint="send traffic to revisions that are there and ready",
            )


@dataclass(frozen=True)
class Scaling:
    """The number of instances: none at all, or as the platform chooses."""

    to_zero: bool

    def of(self, service: str) -> str:
        return f"scale {service} {'to zero' if self.to_zero else 'by load'} (UpdateService)"

    def send(self, client: ServicesClient, live: run_v2.Service, timeout: float) -> Operation:
        change = run_v2.Service(name=live.name, scaling=self._scaling(live), etag=live.etag)
        return update(client, change, "scaling", timeout=timeout)

    def stands_in(self, live: run_v2.Service) -> bool:
        """Automatic is what a service is that tells no mode."""
        manual = live.scaling.scaling_mode == _Mode.MANUAL
        none = manual and live.scaling.manual_instance_count == 0
        return none if self.to_zero else not manual

    def holds_in(self, live: run_v2.Service) -> bool:
        return is_at_rest(live) and self.stands_in(live)

    def judge(self, live: run_v2.Service) -> None:
        """It is the operation that tells of a failure."""

    def _scaling(self, live: run_v2.Service) -> run_v2.ServiceScaling:
        """As it is, but for the mode: the least and the most instances stay."""
        scaling = run_v2.ServiceScaling(live.scaling)
        scaling.scaling_mode = _Mode(_Mode.MANUAL if self.to_zero else _Mode.AUTOMATIC)
        if self.to_zero:
            scaling.manual_instance_count = 0
        else:
            run_v2.ServiceScaling.pb(scaling).ClearField("manual_instance_count")
        return scaling


@dataclass(frozen=True)
class Deployment:
    """A new revision, and the split that shall hold once it is ready: in one update.

    Settings that RevisionSettings does not speak of are taken over from the service's template.
    """

    wanted: NewRevision
    split: TrafficSplit
    look: Look = field(repr=False)

    def of(self, service: str) -> str:
        return f"deploy {self.wanted.name} to {service} (UpdateService)"

    def send(self, client: ServicesClient, live: run_v2.Service, timeout: float) -> Operation:
        change = run_v2.Service(
            name=live.name,
            template=template_named(self.wanted, live.template),
            traffic=traffic_of(self.split),
            etag=live.etag,
        )
        return update(client, change, "template", "traffic", timeout=timeout)

    def stands_in(self, live: run_v2.Service) -> bool:
        """Told by the template, and by what was made of it, whichever is to be read."""
        named = {live.template.revision, short(live.latest_created_revision)}
        return self.wanted.name in named and service_of(live).wanted.matches(self.split)

    def holds_in(self, live: run_v2.Service) -> bool:
        if not (is_at_rest(live) and service_of(live).actual.matches(self.split)):
            return False
        revision = self.look(self.wanted.name)
        return revision is not None and revision.readiness is Readiness.READY

    def judge(self, live: run_v2.Service) -> None:  # noqa: ARG002 - the revision tells, not the service
        revision = self.look(self.wanted.name)
        if revision is not None and revision.readiness is Readiness.FAILED:
            raise GateClosed(
                f"revision {revision.name} cannot start: got {revision.reason}: "
                f"{revision.message.rstrip('.')}, "
                f"needs a container that is ready on port {self.wanted.settings.port}",
                hint="the revision's log says what its container did",
            )


@dataclass(frozen=True)
class Creation(Deployment):
    """A new service, with the split that it has by itself: all to the latest that is ready."""

    parent: str
    service_id: str

    def of(self, service: str) -> str:
        return f"create {service} (CreateService)"

    def send(self, client: ServicesClient, live: run_v2.Service, timeout: float) -> Operation:  # noqa: ARG002 - there is none yet
        request = run_v2.CreateServiceRequest(
            parent=self.parent,
            service_id=self.service_id,
            service=run_v2.Service(template=template_named(self.wanted)),
        )
        begun: Operation = client.create_service(request, timeout=timeout).operation
        return begun


def update(
    client: ServicesClient, change: run_v2.Service, *fields: str, timeout: float
) -> Operation:
    """Send these fields of a service, and no others."""
    mask = field_mask_pb2.FieldMask(paths=fields)
    request = run_v2.UpdateServiceRequest(service=change, update_mask=mask)
    begun: Operation = client.update_service(request, retry=None, timeout=timeout).operation
    return begun


def template_named(
    wanted: NewRevision, live: run_v2.RevisionTemplate | None = None
) -> run_v2.RevisionTemplate:
    """Named anew each time: a name that was read and sent back answers 409."""
    template = template_of(wanted.settings, wanted.image, live or run_v2.RevisionTemplate())
    template.revision = wanted.name
    return template


def is_at_rest(live: run_v2.Service) -> bool:
    """Nothing is under way that could change who serves."""
    return service_of(live).readiness is not Readiness.PENDING
