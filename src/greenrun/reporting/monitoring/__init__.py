"""What monitors the service after its release, made from the objectives that released it."""

from greenrun.reporting.monitoring.alert_policies import apply_policies
from greenrun.reporting.monitoring.files import (
    FileOutcome,
    KeptFile,
    MonitoringFiles,
    generate_files,
)
from greenrun.reporting.monitoring.objectives import Objectives
from greenrun.reporting.monitoring.publish import (
    MonitoringTargets,
    Publication,
    figures_of,
    monitored,
    preview,
    publish,
)

__all__ = [
    "FileOutcome",
    "KeptFile",
    "MonitoringFiles",
    "MonitoringTargets",
    "Objectives",
    "Publication",
    "apply_policies",
    "figures_of",
    "generate_files",
    "monitored",
    "preview",
    "publish",
]
