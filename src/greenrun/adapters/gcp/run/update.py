"""Changes of a service, from what is asked to the reading that shows its effect.

A change is asked for by one UpdateService (or CreateService), sent again while its answer is lost,
followed by readings of the service, and refused where the platform, or somebody else, says no.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from google.api_core.exceptions import NotFound, ServiceUnavailable
from google.cloud import run_v2
from google.cloud.run_v2 import ServicesClient
from google.protobuf import field_mask_pb2

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, Operation, RetryingCall, refusal, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.from_proto import (
    condition_named,
    describe,
    reason_of,
    service_of,
    short,
    traffic_of,
)
from greenrun.adapters.gcp.run.to_proto import (
    template_of,
    template_of_revision,
    write_service_settings,
)
from greenrun.model.errors import CallFailed, ConcurrentChange, GateClosed
from greenrun.model.interfaces import NewRevision
from greenrun.model.revision import NOTHING_SAID, Readiness, Revision, ServiceSettings
from greenrun.model.service import Service
from greenrun.model.traffic import TrafficSplit

_Mode = run_v2.ServiceScaling.ScalingMode
_FAILED = run_v2.Condition.State.CONDITION_FAILED
_ABSENT = run_v2.Service()

RevisionReader = Callable[[str], Revision | None]
"""Reads a revision once, by its short name; may raise what Google's clients raise."""


class Mutation(Protocol):
    """Something that is asked of a service."""

    def describe(self, service: str) -> str:
        """Words that complete `could not ...`, and name the call."""

    def send(self, client: ServicesClient, live: run_v2.Service, timeout: float) -> Operation:
        """Send it, once, on top of the service as it was just read."""

    def is_wanted(self, live: run_v2.Service) -> bool:
        """True where it is what was last asked for."""

    def is_effective(self, live: run_v2.Service) -> bool:
        """True where it has taken effect."""

    def judge(self, live: run_v2.Service) -> None:
        """Raise GateClosed or CallFailed where it never will."""


@dataclass(frozen=True)
class SplitTraffic:
    """A traffic split, and with it the settings of the service where they say anything.

    It holds when it is the actual one, though the service may not be well for another reason, say
    that its latest revision never started: what counts is who serves.
    """

    split: TrafficSplit
    settings: ServiceSettings = NOTHING_SAID

    def describe(self, service: str) -> str:
        return f"give {service} the split {self.split} (UpdateService)"

    def send(self, client: ServicesClient, live: run_v2.Service, timeout: float) -> Operation:
        change, fields = run_v2.Service(live), ["traffic"]
        if self.settings != NOTHING_SAID:
            fields += write_service_settings(self.settings, change)
        change.traffic = traffic_of(self.split)
        return _update(client, _only(change, fields), *fields, timeout=timeout)

    def is_wanted(self, live: run_v2.Service) -> bool:
        return service_of(live).wanted.matches(self.split)

    def is_effective(self, live: run_v2.Service) -> bool:
        return _is_at_rest(live) and service_of(live).actual.matches(self.split)

    def judge(self, live: run_v2.Service) -> None:
        routes = condition_named("RoutesReady", live.conditions)
        if _is_at_rest(live) and routes.state == _FAILED:
            raise CallFailed(
                f"could not {self.describe(live.name)}: got {reason_of(routes)}: {routes.message}",
                hint="send traffic to revisions that are there and ready",
            )


@dataclass(frozen=True)
class Scale:
    """The number of instances: none at all, or as the platform chooses."""

    to_zero: bool

    def describe(self, service: str) -> str:
        return f"scale {service} {'to zero' if self.to_zero else 'by load'} (UpdateService)"

    def send(self, client: ServicesClient, live: run_v2.Service, timeout: float) -> Operation:
        change = run_v2.Service(name=live.name, scaling=self._scaling(live), etag=live.etag)
        return _update(client, change, "scaling", timeout=timeout)

    def is_wanted(self, live: run_v2.Service) -> bool:
        # A service that names no mode is scaled automatically.
        manual = live.scaling.scaling_mode == _Mode.MANUAL
        none = manual and live.scaling.manual_instance_count == 0
        return none if self.to_zero else not manual

    def is_effective(self, live: run_v2.Service) -> bool:
        return _is_at_rest(live) and self.is_wanted(live)

    def judge(self, live: run_v2.Service) -> None:
        """Leave it to the operation, which alone knows of a failure."""

    def _scaling(self, live: run_v2.Service) -> run_v2.ServiceScaling:
        """Change the mode alone: the least and the most instances stay."""
        scaling = run_v2.ServiceScaling(live.scaling)
        scaling.scaling_mode = _Mode(_Mode.MANUAL if self.to_zero else _Mode.AUTOMATIC)
        if self.to_zero:
            scaling.manual_instance_count = 0
        else:
            run_v2.ServiceScaling.pb(scaling).ClearField("manual_instance_count")
        return scaling


@dataclass(frozen=True)
class Deploy:
    """A new revision, and the split that shall hold once it is ready: in one update.

    `baseline` is the revision that its settings are laid over, as the platform describes it.
    """

    wanted: NewRevision
    baseline: run_v2.Revision
    split: TrafficSplit
    read_revision: RevisionReader = field(repr=False)

    def describe(self, service: str) -> str:
        return f"deploy {self.wanted.name} to {service} (UpdateService)"

    def send(self, client: ServicesClient, live: run_v2.Service, timeout: float) -> Operation:
        change = run_v2.Service(
            name=live.name,
            template=_template_named(
                self.wanted, template_of_revision(self.baseline, live.template)
            ),
            traffic=traffic_of(self.split),
            etag=live.etag,
        )
        return _update(client, change, "template", "traffic", timeout=timeout)

    def is_wanted(self, live: run_v2.Service) -> bool:
        # Told by the template, and by what was made of it, whichever is to be read.
        named = {live.template.revision, short(live.latest_created_revision)}
        return self.wanted.name in named and service_of(live).wanted.matches(self.split)

    def is_effective(self, live: run_v2.Service) -> bool:
        if not (_is_at_rest(live) and service_of(live).actual.matches(self.split)):
            return False
        revision = self.read_revision(self.wanted.name)
        return revision is not None and revision.readiness is Readiness.READY

    def judge(self, live: run_v2.Service) -> None:  # noqa: ARG002 - the revision tells, not the service
        revision = self.read_revision(self.wanted.name)
        if revision is not None and revision.readiness is Readiness.FAILED:
            raise GateClosed(
                f"revision {revision.name} cannot start: got {revision.reason}: "
                f"{revision.message.rstrip('.')}, "
                "needs a container that is ready on its port",
                hint="the revision's log says what its container did",
            )


@dataclass(frozen=True)
class Create(Deploy):
    """A new service, whose first revision is the latest that is ready.

    Cloud Run takes no service without traffic: that split is refused at creation [D].
    """

    parent: str
    service_id: str

    def describe(self, service: str) -> str:
        return f"create {service} (CreateService)"

    def send(self, client: ServicesClient, live: run_v2.Service, timeout: float) -> Operation:  # noqa: ARG002 - there is none yet
        template, traffic = _template_named(self.wanted), traffic_of(self.split)
        service = run_v2.Service(template=template, traffic=traffic)
        write_service_settings(self.wanted.service_settings.over(NOTHING_SAID), service)
        request = run_v2.CreateServiceRequest(
            parent=self.parent, service_id=self.service_id, service=service
        )
        begun: Operation = client.create_service(request, timeout=timeout).operation
        return begun


def _only(change: run_v2.Service, fields: Sequence[str]) -> run_v2.Service:
    """Leave what is not among these fields unsaid, but for what names the service."""
    told = {name: getattr(change, name) for name in fields}
    return run_v2.Service(name=change.name, etag=change.etag, **told)


def _update(
    client: ServicesClient, change: run_v2.Service, *fields: str, timeout: float
) -> Operation:
    """Send these fields of a service, and no others."""
    mask = field_mask_pb2.FieldMask(paths=fields)
    request = run_v2.UpdateServiceRequest(service=change, update_mask=mask)
    begun: Operation = client.update_service(request, retry=None, timeout=timeout).operation
    return begun


def _template_named(
    wanted: NewRevision, onto: run_v2.RevisionTemplate | None = None
) -> run_v2.RevisionTemplate:
    """Name it anew each time: a name that was read and sent back answers 409."""
    template = template_of(wanted.settings, wanted.image, onto or run_v2.RevisionTemplate())
    template.revision = wanted.name
    return template


def _is_at_rest(live: run_v2.Service) -> bool:
    """Nothing is under way that could change who serves."""
    return service_of(live).readiness is not Readiness.PENDING


class ServiceChange:
    """Carries out one mutation. What counts is what the service shows, not a call's answer.

    A transient refusal says nothing, so the service is read before each sending: still as `before`
    says, the mutation is sent (again); with the mutation in it, it was taken; otherwise somebody
    else has changed it. Cloud Run was seen to accept stale etags, so generations are compared too:
    a mutation makes one, however often it is sent, and more are somebody else's.

    Args:
        live: the service.
        mutation: what it shall be like.
        before: the reading that the mutation rests on; None where there shall be no service yet.
        call: its way to the platform.
    """

    def __init__(
        self, live: "LiveService", mutation: Mutation, before: Service | None, call: RetryingCall
    ) -> None:
        self._live = live
        self._mutation = mutation
        self._before = before
        self._call = call
        self._what = mutation.describe(live.name)
        self._from = self._least = before.generation if before else 0
        self._state = "nothing"
        live.expect(self._from)

    def carry_out(self, client: ServicesClient) -> Service:
        """Send it, and wait for its effect; the reading that shows it.

        Raises ConcurrentChange, GateClosed, CallFailed, DeadlineExceeded.
        """
        with refused(self._what, self._call.hint):
            self._call.until(lambda: self._taken(client), self._seen)
            return self._call.until(self._effect, self._seen)

    def _taken(self, client: ServicesClient) -> bool | None:
        live = self._read() if self._before or self._call.possible else _ABSENT
        if live.generation != self._from:
            self._check(live)
            return True
        if not self._call.due:
            return None
        # One that stands already may make no generation: it is sent for its effect alone.
        stood = self._before is not None and self._mutation.is_wanted(live)
        self._least = self._from if stood else self._from + 1
        begun = self._call.send(lambda timeout: self._mutation.send(client, live, timeout))
        return None if begun is None else True

    def _effect(self) -> Service | None:
        live = self._read()
        if live.generation < self._least:
            return None
        self._check(live)
        if self._mutation.is_effective(live):
            return service_of(live)
        if live.generation > self._from:
            self._mutation.judge(live)
        # An error that was told after the last reading leaves one more reading for the effect.
        if self._call.progress.error:
            raise refusal(self._what, self._call.progress.error, self._call.hint)
        self._call.refresh()
        return None

    def _read(self) -> run_v2.Service:
        try:
            live = self._live.read(self._call.answer_seconds)
        except NotFound:
            if self._before:
                raise
            return _ABSENT
        conditions = describe([live.terminal_condition, *live.conditions])
        actual = service_of(live).actual
        self._state = f"generation {live.generation} with {actual}; {conditions}"
        return live

    def _seen(self) -> str:
        return self._state

    def _check(self, live: run_v2.Service) -> None:
        most = self._from + self._call.possible
        if not self._from <= live.generation <= most or not self._mutation.is_wanted(live):
            raise _changed(self._before, service_of(live), self._what)


def _changed(before: Service | None, found: Service, what: str) -> ConcurrentChange:
    who = found.changed_by or "somebody unknown"
    when = f" at {found.changed_at}" if found.changed_at else ""
    rested = f"generation {before.generation} with {before.wanted}" if before else "no service"
    return ConcurrentChange(
        f"could not {what}: somebody else changes it: got generation {found.generation} with "
        f"{found.wanted}, last changed by {who}{when}, needs {rested}, and no change since but "
        "this one",
        hint=f"ask {who} what was done, look at the service, then start again",
    )


class StaleReading(ServiceUnavailable):
    """A reading older than what is known already: none at all, so read again."""


class LiveService:
    """Reads one service, and remembers how new its readings have been: they never go back.

    Args:
        clients: to Google or to a local cloud.
        name: the service's full name.
    """

    def __init__(self, clients: GoogleClients, name: str) -> None:
        self._clients = clients
        self.name = name
        self._uid = ""
        self._generation = 0

    def read(self, timeout: float = ANSWER_SECONDS) -> run_v2.Service:
        """Read it once. Raises what Google's clients raise, and StaleReading."""
        live = self._clients.services.get_service(name=self.name, retry=None, timeout=timeout)
        same = self._uid in {"", live.uid}
        if same and live.generation < self._generation:
            stale = f"a stale reading, generation {live.generation} after {self._generation}"
            raise StaleReading(stale)  # type: ignore[no-untyped-call] # bare in google.api_core
        self._uid, self._generation = live.uid, live.generation
        return live

    def expect(self, generation: int) -> None:
        """Take whatever is older for stale from now on."""
        self._generation = max(self._generation, generation)

    def forget(self) -> None:
        """Begin anew: the service is gone, and one of the same name is another."""
        self._uid, self._generation = "", 0
