"""The local cloud: Google Cloud's APIs over gRPC and REST, on this machine."""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from greenrun.local_cloud.bindings import Parts
from greenrun.local_cloud.calls import Calls
from greenrun.local_cloud.door import Door
from greenrun.local_cloud.faults.catalogue import Faults
from greenrun.local_cloud.faults.hindrance import hindered
from greenrun.local_cloud.identity.metadata_server import MetadataServer
from greenrun.local_cloud.identity.tokens import Issuer
from greenrun.local_cloud.instances.fleet import InstanceFleet
from greenrun.local_cloud.jobs.jobs import Jobs
from greenrun.local_cloud.logging.log import Logging
from greenrun.local_cloud.machinery import Ingress, Runtime
from greenrun.local_cloud.monitoring.alert_policies import AlertPolicies
from greenrun.local_cloud.monitoring.memory import MemoryWatch
from greenrun.local_cloud.monitoring.series import Monitoring
from greenrun.local_cloud.operations import Operations
from greenrun.local_cloud.resource_manager.permissions import Permissions
from greenrun.local_cloud.resource_manager.projects import Projects
from greenrun.local_cloud.run.launch import Launcher
from greenrun.local_cloud.run.revisions import Revisions
from greenrun.local_cloud.run.rollouts import Rollouts
from greenrun.local_cloud.run.services import Services
from greenrun.local_cloud.run.store import Store
from greenrun.local_cloud.run.supervisor import Supervisor
from greenrun.local_cloud.secrets.secrets import Secrets
from greenrun.local_cloud.wire.grpc_server import GrpcServer
from greenrun.local_cloud.wire.rest_server import RestServer


class LocalCloud:
    """Serves from the moment it is made until it is closed, which it may be as a context manager.

    `grpc` is `127.0.0.1:PORT`, `rest` is `http://127.0.0.1:PORT`. `metadata` is `127.0.0.1:PORT`,
    where identity tokens of its `issuer` are handed out. It owns the runtime and the ingress that
    it is given and closes them too. With `strict_etags=False` it accepts stale etags,
    as Cloud Run was seen to do; metrics younger than `metrics_lag` are withheld. `faults` is what
    goes wrong with it, `calls` what was asked of it, `permissions` what its callers are told they
    may do.
    """

    def __init__(
        self,
        runtime: Runtime,
        ingress: Ingress,
        *,
        strict_etags: bool = True,
        metrics_lag: timedelta = timedelta(),
        faults: Faults | None = None,
    ) -> None:
        self.faults, self.calls = faults or Faults(), Calls()
        self.permissions = Permissions()
        with ExitStack() as closing:
            closing.callback(runtime.close)
            closing.callback(ingress.close)
            self.issuer = Issuer()
            ingress.trust(self.issuer.keys)
            machine = _Machine(InstanceFleet(runtime), ingress, self.faults, self.permissions)
            parts = _parts(machine, closing, strict_etags=strict_etags, metrics_lag=metrics_lag)
            answering = Door(self.calls, self.faults).call
            grpc = GrpcServer(parts.bindings(), answering)
            rest = RestServer(parts.bindings(), answering)
            closing.callback(grpc.close)
            closing.callback(rest.close)
            metadata = MetadataServer(self.issuer)
            closing.callback(metadata.close)
            closing.callback(self.faults.clear)
            self.grpc, self.rest, self.metadata = grpc.address, rest.address, metadata.address
            self._closing = closing.pop_all()

    def __repr__(self) -> str:
        return f"LocalCloud(grpc={self.grpc}, rest={self.rest})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Refuse calls, end work under way, stop every instance, free every port. Idempotent."""
        self._closing.close()


@dataclass(frozen=True, slots=True)
class _Machine:
    """What a cloud runs on, and what goes wrong with it."""

    fleet: InstanceFleet
    ingress: Ingress
    faults: Faults
    permissions: Permissions

    def logging(self) -> Logging:
        return Logging(self.fleet, self.ingress, lambda: self.faults.lateness("logs"))

    def monitoring(self, lag: timedelta, memory: MemoryWatch) -> Monitoring:
        """Its clock is behind by as much as metrics are."""
        faults = self.faults

        def clock() -> datetime:
            return datetime.now(UTC) - faults.lateness("metrics")

        return Monitoring(self.ingress, memory=memory.samples, lag=lag, clock=clock)


def _parts(
    machine: _Machine, closing: ExitStack, *, strict_etags: bool, metrics_lag: timedelta
) -> Parts:
    """What is named last closes first: start-up probes end before the work that waits for them."""
    fleet = machine.fleet
    operations, secrets, store = Operations(hindered), Secrets(), Store(strict_etags=strict_etags)
    jobs = Jobs(operations, fleet, secrets, strict_etags=strict_etags)
    launcher = Launcher(fleet, secrets, machine.faults.befall)
    rollouts = Rollouts(store.lock, launcher, machine.ingress)
    supervisor = Supervisor(store, launcher, rollouts)
    memory = MemoryWatch(fleet.running)
    for part in (fleet, operations, jobs, supervisor, launcher, memory):
        closing.callback(part.close)
    return Parts(
        services=Services(store, operations, rollouts),
        revisions=Revisions(store, operations),
        jobs=jobs,
        operations=operations,
        logging=machine.logging(),
        monitoring=machine.monitoring(metrics_lag, memory),
        alert_policies=AlertPolicies(),
        secrets=secrets,
        projects=Projects(machine.permissions),
    )
