"""The state of services: official messages under one lock."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Lock, RLock

from google.cloud import run_v2
from google.iam.v1 import policy_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.run.services.routing import Traffic, invoker_guard
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import Guard, Instance, Route
from cloudrun_emulator.core.resource_names import ResourceName

EMPTY_POLICY_ETAG = b"ACAB"
_FOR_EVERYBODY = (
    run_v2.IngressTraffic.INGRESS_TRAFFIC_UNSPECIFIED,
    run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL,
)


def _no_policy() -> policy_pb2.Policy:
    return policy_pb2.Policy(etag=EMPTY_POLICY_ETAG)


@dataclass(slots=True)
class ServiceRecord:
    """A service and all that hangs on it; read and changed under the store's lock.

    `revisions`, `templates` and `instances` go by short names, the oldest revision first.
    `serving` is the traffic that the ingress has, whatever the service asks for by now.
    `routing` is held while the ingress changes, so that changes take effect in order. `behind` are
    revision tags whose addresses go to an earlier revision still.
    """

    service: run_v2.Service
    policy: policy_pb2.Policy = field(default_factory=_no_policy)
    revisions: dict[str, run_v2.Revision] = field(default_factory=dict)
    templates: dict[str, run_v2.RevisionTemplate] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    serving: Traffic | None = None
    routing: Lock = field(default_factory=Lock)
    behind: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> ResourceName:
        """The full name of the service, in its parts."""
        return ResourceName.parse(self.service.name, "services")

    @property
    def deleted(self) -> bool:
        """Whether its deletion has begun."""
        return "delete_time" in self.service

    @property
    def halted(self) -> bool:
        """Whether it is scaled to zero by hand.

        Without a count of its own, manual scaling counts by min_instance_count [?]; source: the
        comments on ServiceScaling.ScalingMode.
        """
        scaling = self.service.scaling
        by_hand = scaling.scaling_mode == run_v2.ServiceScaling.ScalingMode.MANUAL
        own = "manual_instance_count" in scaling
        return by_hand and not (
            scaling.manual_instance_count if own else scaling.min_instance_count
        )

    @property
    def idle(self) -> bool:
        """Whether none of its instances is to run."""
        return self.deleted or self.halted

    @property
    def guard(self) -> Guard | None:
        """The callers that it admits; None where everybody may, or nobody checks."""
        unchecked = self.service.invoker_iam_disabled
        return None if unchecked else invoker_guard(self.policy, self.service.custom_audiences)

    def routes(self, traffic: Traffic) -> list[Route]:
        """Return the routes of `traffic`, to those who may call."""
        internal = self.service.ingress not in _FOR_EVERYBODY
        routes = traffic.routes(self.guard, self.behind)
        return [replace(route, internal=internal) for route in routes]

    def checked(self, revision: str) -> bool:
        """Whether its startup probes count. Source: comments on RevisionTemplate."""
        template = self.templates.get(revision)
        return template is None or not template.health_check_disabled

    def keep(self, revision: str, instance: Instance) -> bool:
        """Let `instance` serve for a revision; False where nobody wants it, so it has to end."""
        wanted = revision in self.revisions and not self.idle
        if wanted:
            self.instances[revision] = instance
        return wanted


class Store:
    """Every service by its full name; `lock` guards the records too."""

    def __init__(self, *, strict_etags: bool = True) -> None:
        self.lock = RLock()
        self._strict_etags = strict_etags
        self._records: dict[str, ServiceRecord] = {}

    def __iter__(self) -> Iterator[ServiceRecord]:
        with self.lock:
            return iter(list(self._records.values()))

    def open(self, name: ResourceName) -> ServiceRecord:
        """Find a service to change; one whose deletion has begun is gone."""
        record = self.find(name)
        if record.deleted:
            raise name.missing()
        return record

    def find(self, name: ResourceName) -> ServiceRecord:
        """Raise NOT_FOUND for a service that is not there."""
        record = self._records.get(str(name))
        if record is None:
            raise name.missing()
        return record

    def knows(self, name: ResourceName) -> bool:
        return str(name) in self._records

    def check_free(self, name: ResourceName) -> None:
        """Raise ALREADY_EXISTS for a name that is taken."""
        if self.knows(name):
            raise name.taken()

    def add(self, record: ServiceRecord) -> None:
        self._records[str(record.name)] = record

    def check_etag(self, name: ResourceName, sent: str, current: str) -> None:
        """The standard (AIP-154) wants ABORTED for a stale etag; Cloud Run was seen to take any."""
        if self._strict_etags and sent and sent != current:
            raise CloudError(
                StatusCode.ABORTED,
                f"Conflict for resource '{name.id}': etag {sent} is stale, now it is {current}.",
            )

    def remove(self, record: ServiceRecord) -> None:
        self._records.pop(record.service.name, None)


def etag(uid: str, generation: int) -> str:
    """Return a fingerprint of the desired state."""
    return f'"{hashlib.sha256(f"{uid}/{generation}".encode()).hexdigest()[:32]}"'
