"""Every API that is answered, and the official transports by which clients reach it."""

from collections.abc import Iterator
from dataclasses import dataclass

from google.cloud.logging_v2.services.logging_service_v2.transports import (
    LoggingServiceV2GrpcTransport,
)
from google.cloud.monitoring_v3.services.alert_policy_service.transports import (
    AlertPolicyServiceGrpcTransport,
)
from google.cloud.monitoring_v3.services.metric_service.transports import (
    MetricServiceGrpcTransport,
)
from google.cloud.resourcemanager_v3.services.projects.transports import ProjectsGrpcTransport
from google.cloud.resourcemanager_v3.services.projects.transports.rest_base import (
    _BaseProjectsRestTransport,
)
from google.cloud.run_v2.services.executions.transports import ExecutionsGrpcTransport
from google.cloud.run_v2.services.executions.transports.rest_base import (
    _BaseExecutionsRestTransport,
)
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport
from google.cloud.run_v2.services.jobs.transports.rest_base import _BaseJobsRestTransport
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.revisions.transports.rest_base import _BaseRevisionsRestTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.cloud.run_v2.services.services.transports.rest_base import _BaseServicesRestTransport
from google.cloud.run_v2.services.tasks.transports import TasksGrpcTransport
from google.cloud.run_v2.services.tasks.transports.rest_base import _BaseTasksRestTransport
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)
from google.cloud.secretmanager_v1.services.secret_manager_service.transports.rest_base import (
    _BaseSecretManagerServiceRestTransport,
)

from cloudrun_emulator.apis.logging.log import Logging
from cloudrun_emulator.apis.longrunning import Operations
from cloudrun_emulator.apis.monitoring.alert_policies import AlertPolicies
from cloudrun_emulator.apis.monitoring.series import Monitoring
from cloudrun_emulator.apis.resourcemanager import Projects
from cloudrun_emulator.apis.run.jobs.executions import Executions, Tasks
from cloudrun_emulator.apis.run.jobs.jobs import Jobs
from cloudrun_emulator.apis.run.services.revisions import Revisions
from cloudrun_emulator.apis.run.services.services import Services
from cloudrun_emulator.apis.secretmanager import Secrets
from cloudrun_emulator.server.methods import Binding, Method, OperationsBinding


@dataclass(frozen=True, slots=True)
class ApiTransports:
    """The official transports of one API; the clients of logging and monitoring have no REST."""

    api: str
    grpc_transport: type
    rest_base: type | None = None

    def bound(self, implementation: object) -> Binding:
        return Binding(implementation, self.grpc_transport, self.rest_base)


_TRANSPORTS = (
    ApiTransports("services", ServicesGrpcTransport, _BaseServicesRestTransport),
    ApiTransports("revisions", RevisionsGrpcTransport, _BaseRevisionsRestTransport),
    ApiTransports("jobs", JobsGrpcTransport, _BaseJobsRestTransport),
    ApiTransports("executions", ExecutionsGrpcTransport, _BaseExecutionsRestTransport),
    ApiTransports("tasks", TasksGrpcTransport, _BaseTasksRestTransport),
    ApiTransports("logging", LoggingServiceV2GrpcTransport),
    ApiTransports("monitoring", MetricServiceGrpcTransport),
    ApiTransports("alert_policies", AlertPolicyServiceGrpcTransport),
    ApiTransports(
        "secrets", SecretManagerServiceGrpcTransport, _BaseSecretManagerServiceRestTransport
    ),
    ApiTransports("projects", ProjectsGrpcTransport, _BaseProjectsRestTransport),
)


@dataclass(frozen=True, slots=True)
class Apis:
    """The implementations of a cloud, one for each of the transports."""

    services: Services
    revisions: Revisions
    jobs: Jobs
    operations: Operations
    logging: Logging
    monitoring: Monitoring
    alert_policies: AlertPolicies
    secrets: Secrets
    projects: Projects

    @property
    def executions(self) -> Executions:
        return self.jobs.executions

    @property
    def tasks(self) -> Tasks:
        return self.jobs.tasks

    def bindings(self) -> tuple[Binding | OperationsBinding, ...]:
        apis = (transports.bound(getattr(self, transports.api)) for transports in _TRANSPORTS)
        return (*apis, OperationsBinding(self.operations))


def methods() -> Iterator[Method]:
    """Every RPC of every API that is bound, whoever answers it."""
    for transports in _TRANSPORTS:
        yield from transports.bound(None).methods()
    yield from OperationsBinding(None).methods()
