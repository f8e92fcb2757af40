"""The roles that a release needs filled; adapters fill them, fixtures choose which."""

from dataclasses import dataclass

from greenrun.model.interfaces.browser import Browser, Element, Seen, Visit
from greenrun.model.interfaces.charts import Chart, Charts
from greenrun.model.interfaces.images import Builder, Registry
from greenrun.model.interfaces.observability import (
    Clock,
    Evidence,
    HttpClient,
    HttpRequest,
    HttpResponse,
    LogEntry,
    Logs,
    Metrics,
    Progress,
)
from greenrun.model.interfaces.openapi import (
    Deviation,
    OpenApiTest,
    OpenApiTester,
    OpenApiTestResult,
)
from greenrun.model.interfaces.platform import (
    Access,
    Execution,
    Job,
    Leases,
    NewRevision,
    Platform,
    SecretStore,
)
from greenrun.model.interfaces.timeout import Timeout, Watch
from greenrun.model.interfaces.workspace import Commands, Ended, Leak, Scanner, SourceControl

__all__ = [
    "Access",
    "Browser",
    "Builder",
    "Chart",
    "Charts",
    "Clock",
    "Commands",
    "Dependencies",
    "Deviation",
    "Element",
    "Ended",
    "Evidence",
    "Execution",
    "HttpClient",
    "HttpRequest",
    "HttpResponse",
    "Job",
    "Leak",
    "Leases",
    "LogEntry",
    "Logs",
    "Metrics",
    "NewRevision",
    "OpenApiTest",
    "OpenApiTestResult",
    "OpenApiTester",
    "Platform",
    "Progress",
    "Registry",
    "Scanner",
    "SecretStore",
    "Seen",
    "SourceControl",
    "Timeout",
    "Visit",
    "Watch",
]


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Everything that a release needs done by others."""

    builder: Builder
    registry: Registry
    platform: Platform
    leases: Leases
    access: Access
    logs: Logs
    metrics: Metrics
    secret_store: SecretStore
    web: HttpClient
    browser: Browser
    examiner: OpenApiTester
    source_control: SourceControl
    commands: Commands
    scanner: Scanner
    clock: Clock
    charts: Charts
    evidence: Evidence
    progress: Progress
