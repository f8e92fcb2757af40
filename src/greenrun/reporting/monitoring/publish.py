"""The objectives of a release, published to what monitors the service after it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from greenrun.model.alert_status import AlertOutcome, AlertStatus
from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces.alerting import Alerts
from greenrun.model.monitoring import Figure
from greenrun.model.plan import MonitoringPlan, Plan
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.reporting.monitoring.alert_policies import apply_policies, plan_policies
from greenrun.reporting.monitoring.files import (
    FileOutcome,
    KeptFile,
    MonitoringFiles,
    generate_files,
)
from greenrun.reporting.monitoring.objectives import Objectives, alerts, figures


@dataclass(frozen=True, slots=True)
class Publication:
    """What became of each file and of each alert policy."""

    files: tuple[KeptFile, ...]
    policies: tuple[AlertStatus, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, (*self.files, *self.policies)))

    @property
    def changed(self) -> bool:
        """Return True where a file was written, or a policy was created or overwritten."""
        written = (
            kept.outcome in {FileOutcome.WRITTEN, FileOutcome.OVERWRITTEN} for kept in self.files
        )
        made = {AlertOutcome.CREATED, AlertOutcome.OVERWRITTEN}
        return any(written) or any(one.outcome in made for one in self.policies)

    @property
    def differences(self) -> str:
        """Every file that was changed or edited, line by line."""
        return "\n".join(kept.difference for kept in self.files if kept.difference)

    def worth_telling(self) -> Iterator[str]:
        """Yield what a person has to review, or to know of."""
        yield from (str(one) for one in self.policies if one.outcome is not AlertOutcome.SAME)
        yield from (
            str(kept.path) + f": {kept.outcome.value}" for kept in self.files if _was_edited(kept)
        )


@dataclass(frozen=True, slots=True)
class MonitoringTargets:
    """Where objectives are published: files for Prometheus and Grafana, the platform's alerts.

    `home` is what the folder of a plan is relative to.
    """

    home: Path
    alerts: Alerts

    def files(self, plan: Plan) -> MonitoringFiles:
        """Return the files of an environment. Raises ReleaseError where nothing is monitored."""
        return MonitoringFiles(self.home / monitored(plan).folder / plan.environment)


def publish(
    plan: Plan, objectives: Objectives, url: str, targets: MonitoringTargets, guard: ChangeGuard
) -> Publication:
    """Write the files, and give every alert its policy.

    `url` is where the platform serves. Raises ReleaseError where release.yaml names no
    monitoring, or alerts by what has no objective, or where limits contradict each other;
    CallFailed where the platform refuses.
    """
    monitoring = monitored(plan)
    wanted = alerts(monitoring, objectives.canary)
    files = generate_files(plan, monitoring, figures(monitoring, objectives), url)
    return Publication(
        targets.files(plan).keep(files, overwrite=monitoring.overwrite),
        apply_policies(wanted, targets.alerts, guard, overwrite=monitoring.overwrite),
    )


def preview(plan: Plan, objectives: Objectives, platform: Alerts) -> tuple[tuple[str, str], ...]:
    """Return what would become of each alert policy, and the limits of the alert rules.

    Nothing where release.yaml names no monitoring. Only reads; raises what `publish` would raise.
    """
    monitoring = plan.monitoring
    if monitoring is None:
        return ()
    wanted = alerts(monitoring, objectives.canary)
    policies = plan_policies(wanted, platform, overwrite=monitoring.overwrite)
    rules = (rule for figure in figures(monitoring, objectives) for rule in _rules(figure))
    return (
        *((f"alert policy for {one.alert}", one.planned) for one in policies),
        ("alert rules", ", ".join(rules) or "none: no figure has a limit"),
    )


def _rules(figure: Figure) -> list[str]:
    return [f"{figure.name} {one.relation} {one.limit}" for one in figure.thresholds]


def monitored(plan: Plan) -> MonitoringPlan:
    """Return what is monitored. Raises ReleaseError where release.yaml does not say."""
    if plan.monitoring is None:
        raise ReleaseError(
            "release.yaml does not say what is monitored",
            hint="add the key `monitoring`, or take the sentence out",
        )
    return plan.monitoring


def figures_of(plan: Plan) -> tuple[Figure, ...]:
    """Return the figures that release.yaml names; where nothing is monitored, none."""
    return plan.monitoring.figures if plan.monitoring else ()


def _was_edited(kept: KeptFile) -> bool:
    return kept.outcome in {FileOutcome.EDITED, FileOutcome.OVERWRITTEN}
