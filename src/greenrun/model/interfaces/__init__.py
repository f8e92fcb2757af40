"""The roles that a release needs filled; adapters fill them, fixtures choose which."""

from dataclasses import dataclass

from greenrun.model.interfaces.browser import Browser, Element, Seen, Visit
from greenrun.model.interfaces.charts import Chart, Charts
from greenrun.model.interfaces.images import Builder, Registry
from greenrun.model.interfaces.observability import (
    Answer,
    Clock,
    Evidence,
    LogEntry,
    Logs,
    Metrics,
    Probe,
    Progress,
    Web,
)
from greenrun.model.interfaces.openapi import Deviation, Examination, Examined, Examiner
from greenrun.model.interfaces.platform import (
    Access,
    Claims,
    Execution,
    Job,
    NewRevision,
    Platform,
    Vault,
)
from greenrun.model.interfaces.timeout import Patience, Watch
from greenrun.model.interfaces.workspace import Commands, Ended, Leak, Scanner, SourceControl

__all__ = [
    "Access",
    "Answer",
    "Browser",
    "Builder",
    "Chart",
    "Charts",
    "Claims",
    "Clock",
    "Commands",
    "Deviation",
    "Element",
    "Ended",
    "Evidence",
    "Examination",
    "Examined",
    "Examiner",
    "Execution",
    "Job",
    "Leak",
    "LogEntry",
    "Logs",
    "Metrics",
    "NewRevision",
    "Patience",
    "Platform",
    "Probe",
    "Progress",
    "Registry",
    "Roles",
    "Scanner",
    "Seen",
    "SourceControl",
    "Vault",
    "Visit",
    "Watch",
    "Web",
]


@dataclass(frozen=True, slots=True)
class Roles:
    """Everything that a release needs done by others."""

    builder: Builder
    registry: Registry
    platform: Platform
    claims: Claims
    access: Access
    logs: Logs
    metrics: Metrics
    vault: Vault
    web: Web
    browser: Browser
    examiner: Examiner
    source_control: SourceControl
    commands: Commands
    scanner: Scanner
    clock: Clock
    charts: Charts
    evidence: Evidence
    progress: Progress
