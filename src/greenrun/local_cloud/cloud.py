"""The local cloud: Google Cloud's APIs over gRPC and REST, on this machine."""

from contextlib import ExitStack
from datetime import timedelta
from types import TracebackType
from typing import Self

from greenrun.local_cloud.bindings import Parts
from greenrun.local_cloud.instances.fleet import InstanceFleet
from greenrun.local_cloud.jobs.jobs import Jobs
from greenrun.local_cloud.logging.log import Logging
from greenrun.local_cloud.machinery import Ingress, Runtime
from greenrun.local_cloud.monitoring.series import Monitoring
from greenrun.local_cloud.operations import Operations
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

    `grpc` is `127.0.0.1:PORT`, `rest` is `http://127.0.0.1:PORT`. It owns the runtime and the
    ingress that it is given and closes them too. With `strict_etags=False` it accepts stale etags,
    as Cloud Run was seen to do; metrics younger than `metrics_lag` are withheld.
    """

    def __init__(
        self,
        runtime: Runtime,
        ingress: Ingress,
        *,
        strict_etags: bool = True,
        metrics_lag: timedelta = timedelta(),
    ) -> None:
        with ExitStack() as closing:
            closing.callback(runtime.close)
            closing.callback(ingress.close)
            fleet = InstanceFleet(runtime)
            monitoring = Monitoring(ingress, lag=metrics_lag)
            parts = _parts(fleet, ingress, monitoring, closing, strict_etags=strict_etags)
            grpc, rest = GrpcServer(parts.bindings()), RestServer(parts.bindings())
            closing.callback(grpc.close)
            closing.callback(rest.close)
            self.grpc, self.rest = grpc.address, rest.address
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


def _parts(
    fleet: InstanceFleet,
    ingress: Ingress,
    monitoring: Monitoring,
    closing: ExitStack,
    *,
    strict_etags: bool,
) -> Parts:
    """What is named last closes first: start-up probes end before the work that waits for them."""
    operations, secrets, store = Operations(), Secrets(), Store(strict_etags=strict_etags)
    jobs = Jobs(operations, fleet, secrets, strict_etags=strict_etags)
    launcher = Launcher(fleet, secrets)
    rollouts = Rollouts(store.lock, launcher, ingress)
    supervisor = Supervisor(store, launcher, rollouts)
    for part in (fleet, operations, jobs, supervisor, launcher):
        closing.callback(part.close)
    return Parts(
        services=Services(store, operations, rollouts),
        revisions=Revisions(store, operations),
        jobs=jobs,
        operations=operations,
        logging=Logging(fleet, ingress),
        monitoring=monitoring,
        secrets=secrets,
    )
