"""What `--plan` tells: what a release would find, do and promise, from readings alone."""

from greenrun.planning.findings import Known, Rehearsed, outlook
from greenrun.planning.tables import Outlook, Section

__all__ = ["Known", "Outlook", "Rehearsed", "Section", "outlook"]
