"""The objectives of a release, handed to those who watch the service after it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from greenrun.model.alert_status import AlertOutcome, AlertStatus
from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces.alerting import Alerts
from greenrun.model.monitoring import Figure
from greenrun.model.plan import MonitoringPlan, Plan
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.reporting.monitoring.files import Fate, Files, Kept, generated
from greenrun.reporting.monitoring.objectives import Objectives, alerts, figures
from greenrun.reporting.monitoring.policies import watch


@dataclass(frozen=True, slots=True)
class Publication:
    """What stands after it."""

    files: tuple[Kept, ...]
    watched: tuple[AlertStatus, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, (*self.files, *self.watched)))

    @property
    def changed(self) -> bool:
        """True where a file was written, or the platform was asked for a change."""
        written = (kept.fate in {Fate.WRITTEN, Fate.OVERWRITTEN} for kept in self.files)
        made = {AlertOutcome.CREATED, AlertOutcome.OVERWRITTEN}
        return any(written) or any(one.outcome in made for one in self.watched)

    @property
    def differences(self) -> str:
        """Every file that was changed or edited, line by line."""
        return "\n".join(kept.difference for kept in self.files if kept.difference)

    def worth_telling(self) -> Iterator[str]:
        """What a person has to look at, or to know of."""
        yield from (str(one) for one in self.watched if one.outcome is not AlertOutcome.SAME)
        yield from (str(kept.path) + f": {kept.fate.value}" for kept in self.files if _odd(kept))


@dataclass(frozen=True, slots=True)
class MonitoringTargets:
    """Those who watch: Prometheus and Grafana by files, the platform by its alerts.

    `home` is what the folder of a plan is relative to.
    """

    home: Path
    alerts: Alerts

    def files(self, plan: Plan) -> Files:
        """The files of an environment. Raises ReleaseError where nothing is watched."""
        return Files(self.home / monitored(plan).folder / plan.environment)


def publish(
    plan: Plan, objectives: Objectives, url: str, watchers: MonitoringTargets, guard: ChangeGuard
) -> Publication:
    """Write the files, and give every alert its policy.

    `url` is where the platform serves. Raises ReleaseError where release.yaml does not say what is
    watched, or alerts by what has no objective, or where limits contradict each other; CallFailed
    where the platform refuses.
    """
    monitoring = monitored(plan)
    wanted = alerts(monitoring, objectives.canary)
    files = generated(plan, monitoring, figures(monitoring, objectives), url)
    return Publication(
        watchers.files(plan).keep(files, overwrite=monitoring.overwrite),
        watch(wanted, watchers.alerts, guard, overwrite=monitoring.overwrite),
    )


def monitored(plan: Plan) -> MonitoringPlan:
    """What is watched. Raises ReleaseError where release.yaml does not say."""
    if plan.monitoring is None:
        raise ReleaseError(
            "release.yaml does not say what is watched",
            hint="add the key `monitoring`, or take the sentence out",
        )
    return plan.monitoring


def figures_of(plan: Plan) -> tuple[Figure, ...]:
    """The figures that release.yaml names; where nothing is watched, none."""
    return plan.monitoring.figures if plan.monitoring else ()


def _odd(kept: Kept) -> bool:
    return kept.fate in {Fate.EDITED, Fate.OVERWRITTEN}
