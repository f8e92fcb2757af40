"""What watches the service after its release, made from the objectives that released it."""

from greenrun.monitoring.files import Fate, Files, Kept, generated
from greenrun.monitoring.hand_over import HandOver, Watchers, hand_over, monitored
from greenrun.monitoring.policies import Outcome, Watched, watch

__all__ = [
    "Fate",
    "Files",
    "HandOver",
    "Kept",
    "Outcome",
    "Watched",
    "Watchers",
    "generated",
    "hand_over",
    "monitored",
    "watch",
]
