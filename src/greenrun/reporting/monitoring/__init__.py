"""What watches the service after its release, made from the objectives that released it."""

from greenrun.reporting.monitoring.ahead import ahead
from greenrun.reporting.monitoring.files import Fate, Files, Kept, generated
from greenrun.reporting.monitoring.objectives import Objectives
from greenrun.reporting.monitoring.policies import watch
from greenrun.reporting.monitoring.publish import (
    MonitoringTargets,
    Publication,
    figures_of,
    monitored,
    publish,
)

__all__ = [
    "Fate",
    "Files",
    "Kept",
    "MonitoringTargets",
    "Objectives",
    "Publication",
    "ahead",
    "figures_of",
    "generated",
    "monitored",
    "publish",
    "watch",
]
