"""Which of the official transports reaches which part of the local cloud."""

from dataclasses import dataclass

from google.cloud.logging_v2.services.logging_service_v2.transports import (
    LoggingServiceV2GrpcTransport,
)
from google.cloud.monitoring_v3.services.metric_service.transports import (
    MetricServiceGrpcTransport,
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

from greenrun.local_cloud.jobs.jobs import Jobs
from greenrun.local_cloud.logging.log import Logging
from greenrun.local_cloud.monitoring.series import Monitoring
from greenrun.local_cloud.operations import Operations
from greenrun.local_cloud.run.revisions import Revisions
from greenrun.local_cloud.run.services import Services
from greenrun.local_cloud.secrets.secrets import Secrets
from greenrun.local_cloud.wire.methods import Binding, OperationsBinding


@dataclass(frozen=True, slots=True)
class Parts:
    """What a local cloud answers with."""

    services: Services
    revisions: Revisions
    jobs: Jobs
    operations: Operations
    logging: Logging
    monitoring: Monitoring
    secrets: Secrets

    def bindings(self) -> tuple[Binding | OperationsBinding, ...]:
        """The clients of logging and monitoring have no REST transport."""
        jobs = self.jobs
        return (
            Binding(self.services, ServicesGrpcTransport, _BaseServicesRestTransport),
            Binding(self.revisions, RevisionsGrpcTransport, _BaseRevisionsRestTransport),
            Binding(jobs, JobsGrpcTransport, _BaseJobsRestTransport),
            Binding(jobs.executions, ExecutionsGrpcTransport, _BaseExecutionsRestTransport),
            Binding(jobs.tasks, TasksGrpcTransport, _BaseTasksRestTransport),
            OperationsBinding(self.operations),
            Binding(self.logging, LoggingServiceV2GrpcTransport),
            Binding(self.monitoring, MetricServiceGrpcTransport),
            Binding(
                self.secrets,
                SecretManagerServiceGrpcTransport,
                _BaseSecretManagerServiceRestTransport,
            ),
        )
