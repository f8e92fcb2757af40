"""The dry run of `--plan`: what a release would find and do, from readings alone."""

from greenrun.release.dry_run.report import Known, Rehearsed, outlook
from greenrun.release.dry_run.tables import Outlook, Section

__all__ = ["Known", "Outlook", "Rehearsed", "Section", "outlook"]
