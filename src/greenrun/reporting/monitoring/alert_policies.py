"""Alert policies: created where they are missing, compared where they are there."""

from collections.abc import Iterable

from greenrun.model.alert_status import AlertOutcome, AlertStatus
from greenrun.model.interfaces.alerting import Alerts, Policy
from greenrun.model.monitoring import Alert
from greenrun.release.coordination.guard import ChangeGuard


def plan_policies(
    wanted: Iterable[Alert], alerts: Alerts, *, overwrite: bool = False
) -> tuple[AlertStatus, ...]:
    """Return what would become of each policy, and change nothing.

    Raises:
        CallFailed: the platform refuses, or has several policies for one alert.
    """
    return tuple(_planned(alert, alerts.find(alert), overwrite=overwrite) for alert in wanted)


def apply_policies(
    wanted: Iterable[Alert], alerts: Alerts, guard: ChangeGuard, *, overwrite: bool = False
) -> tuple[AlertStatus, ...]:
    """Give each alert its policy. Every change is journalled, and made under the lock.

    Raises:
        CallFailed: the platform refuses, or has several policies for one alert.
    """
    planned = plan_policies(wanted, alerts, overwrite=overwrite)
    for one in planned:
        _apply(one, alerts, guard)
    return planned


def _planned(alert: Alert, found: Policy | None, *, overwrite: bool) -> AlertStatus:
    if found is None:
        return AlertStatus(alert, AlertOutcome.CREATED)
    if not found.differences:
        return AlertStatus(alert, AlertOutcome.SAME, found)
    return AlertStatus(alert, AlertOutcome.OVERWRITTEN if overwrite else AlertOutcome.EDITED, found)


def _apply(one: AlertStatus, alerts: Alerts, guard: ChangeGuard) -> None:
    alert, found = one.alert, one.found
    if found is None:
        with guard.change("create alert policy", str(alert)):
            alerts.create(alert)
    elif one.outcome is AlertOutcome.OVERWRITTEN:
        fields = "; ".join(map(str, found.differences))
        with guard.change("overwrite alert policy", str(alert), policy=found.name, fields=fields):
            alerts.overwrite(found, alert)
