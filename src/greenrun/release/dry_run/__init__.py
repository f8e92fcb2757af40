"""The dry run of `--plan`: what a release would find and do, from readings alone."""

from greenrun.release.dry_run.report import DryRunInputs, Rehearsed, dry_run
from greenrun.release.dry_run.tables import DryRun, ReportSection

__all__ = ["DryRun", "DryRunInputs", "Rehearsed", "ReportSection", "dry_run"]
