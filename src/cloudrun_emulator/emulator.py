"""Google Cloud's APIs over gRPC and REST, on this machine."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from docker.errors import DockerException

from cloudrun_emulator.apis.logging.log import Logging
from cloudrun_emulator.apis.longrunning import Operations
from cloudrun_emulator.apis.monitoring.alert_policies import AlertPolicies
from cloudrun_emulator.apis.monitoring.measurements import MemoryWatch
from cloudrun_emulator.apis.monitoring.series import Monitoring
from cloudrun_emulator.apis.registry import Apis
from cloudrun_emulator.apis.resourcemanager import (
    Permissions,
    Projects,
    UnknownPermission,
    possible,
)
from cloudrun_emulator.apis.run.jobs.jobs import Jobs
from cloudrun_emulator.apis.run.services.launcher import Launcher
from cloudrun_emulator.apis.run.services.reconciler import Reconciler
from cloudrun_emulator.apis.run.services.revisions import Revisions
from cloudrun_emulator.apis.run.services.scaling import Supervisor
from cloudrun_emulator.apis.run.services.services import Services
from cloudrun_emulator.apis.run.services.store import Store
from cloudrun_emulator.apis.secretmanager import Secrets
from cloudrun_emulator.core.interfaces import Ingress, Runtime
from cloudrun_emulator.faults.effects import wrapped_operation
from cloudrun_emulator.faults.language import UnknownFault
from cloudrun_emulator.faults.registry import FaultInterceptor, Faults
from cloudrun_emulator.identity.metadata_server import MetadataServer
from cloudrun_emulator.identity.tokens import Issuer
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.ingress.process import EnvoyFailed
from cloudrun_emulator.runtime.cleanup import clean_up
from cloudrun_emulator.runtime.docker import DockerRuntime
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from cloudrun_emulator.runtime.instances import InstanceFleet
from cloudrun_emulator.server.calls import CallLog
from cloudrun_emulator.server.grpc import GrpcServer
from cloudrun_emulator.server.rest import RestServer


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
        self.faults, self.calls = faults or Faults(), CallLog()
        self.permissions = Permissions()
        with ExitStack() as closing:
            closing.callback(runtime.close)
            closing.callback(ingress.close)
            self.issuer = Issuer()
            ingress.trust(self.issuer.keys)
            machine = _Machine(InstanceFleet(runtime), ingress, self.faults, self.permissions)
            apis = _apis(machine, closing, strict_etags=strict_etags, metrics_lag=metrics_lag)
            dispatch_call = FaultInterceptor(self.calls, self.faults).call
            grpc = GrpcServer(apis.bindings(), dispatch_call)
            rest = RestServer(apis.bindings(), dispatch_call)
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
    """The machine beneath a cloud, and the faults above it."""

    fleet: InstanceFleet
    ingress: Ingress
    faults: Faults
    permissions: Permissions

    def logging(self) -> Logging:
        return Logging(self.fleet, self.ingress, lambda: self.faults.data_delay("logs"))

    def monitoring(self, lag: timedelta, memory: MemoryWatch) -> Monitoring:
        """Its clock is behind by as much as metrics are."""
        faults = self.faults

        def clock() -> datetime:
            return datetime.now(UTC) - faults.data_delay("metrics")

        return Monitoring(self.ingress, memory=memory.samples, lag=lag, clock=clock)


def _apis(
    machine: _Machine, closing: ExitStack, *, strict_etags: bool, metrics_lag: timedelta
) -> Apis:
    """Make the APIs, of which the last closes first: probes end before what waits for them."""
    fleet = machine.fleet
    operations, secrets, store = (
        Operations(wrapped_operation),
        Secrets(),
        Store(strict_etags=strict_etags),
    )
    jobs = Jobs(operations, fleet, secrets, strict_etags=strict_etags)
    launcher = Launcher(fleet, secrets, machine.faults.before_start)
    reconciler = Reconciler(store.lock, launcher, machine.ingress, machine.faults.hold_tag)
    supervisor = Supervisor(store, launcher, reconciler.replace)
    memory = MemoryWatch(fleet.running)
    for part in (fleet, operations, jobs, supervisor, launcher, memory, reconciler):
        closing.callback(part.close)
    return Apis(
        services=Services(store, operations, reconciler),
        revisions=Revisions(store, operations),
        jobs=jobs,
        operations=operations,
        logging=machine.logging(),
        monitoring=machine.monitoring(metrics_lag, memory),
        alert_policies=AlertPolicies(),
        secrets=secrets,
        projects=Projects(machine.permissions),
    )


__all__ = ["RUNTIMES", "CannotStart", "UnknownFault", "UnknownPermission", "start"]

RUNTIMES: Mapping[str, type[DockerRuntime | InProcessRuntime]] = {
    "docker": DockerRuntime,
    "in-process": InProcessRuntime,
}


class CannotStart(Exception):
    """This machine lacks what a local cloud runs on; the message says what, in one line."""


def start(
    runtime: str,
    *,
    strict_etags: bool,
    metrics_lag: timedelta,
    faults: Iterable[str] = (),
    denied: Iterable[str] = (),
) -> LocalCloud:
    """Start with these faults, without the permissions that are `denied`.

    Raises UnknownFault and UnknownPermission before anything; CannotStart without a container
    engine or an ingress.
    """
    permissions = [possible(permission) for permission in denied]
    wrong = Faults()
    for fault in faults:
        wrong.add(fault)
    clean_up()
    machine = _runtime(runtime)
    try:
        ingress = EnvoyIngress()
    except EnvoyFailed as failure:
        machine.close()
        raise CannotStart(f"the ingress did not start: {failure}") from failure
    cloud = LocalCloud(
        machine, ingress, strict_etags=strict_etags, metrics_lag=metrics_lag, faults=wrong
    )
    for permission in permissions:
        cloud.permissions.deny(permission)
    return cloud


def _runtime(name: str) -> Runtime:
    try:
        return RUNTIMES[name]()
    except (DockerException, OSError) as error:  # the latter from one that accepts and is silent
        raise CannotStart(
            f"no Docker engine answers ({error}). "
            "hint: start one, or do without containers: --runtime in-process"
        ) from error
