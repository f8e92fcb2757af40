"""Alert policies: created where they are missing, compared where they are there."""

from collections.abc import Iterable

from greenrun.model.alert_status import Outcome, Watched
from greenrun.model.interfaces.alerting import Alerts, Policy
from greenrun.model.monitoring import Alert
from greenrun.release.coordination.guard import Account


def foresee(
    wanted: Iterable[Alert], alerts: Alerts, *, overwrite: bool = False
) -> tuple[Watched, ...]:
    """What would become of each policy, from readings alone.

    Raises:
        CallFailed: the platform refuses, or has several policies for one alert.
    """
    return tuple(_foreseen(alert, alerts.find(alert), overwrite=overwrite) for alert in wanted)


def watch(
    wanted: Iterable[Alert], alerts: Alerts, account: Account, *, overwrite: bool = False
) -> tuple[Watched, ...]:
    """Give each alert its policy. Every change is journalled, and made under the lock.

    Raises:
        CallFailed: the platform refuses, or has several policies for one alert.
    """
    ahead = foresee(wanted, alerts, overwrite=overwrite)
    for one in ahead:
        _carry_out(one, alerts, account)
    return ahead


def _foreseen(alert: Alert, found: Policy | None, *, overwrite: bool) -> Watched:
    if found is None:
        return Watched(alert, Outcome.CREATED)
    if not found.differences:
        return Watched(alert, Outcome.SAME, found)
    return Watched(alert, Outcome.OVERWRITTEN if overwrite else Outcome.EDITED, found)


def _carry_out(one: Watched, alerts: Alerts, account: Account) -> None:
    alert, found = one.alert, one.found
    if found is None:
        with account.change("create alert policy", str(alert)):
            alerts.create(alert)
    elif one.outcome is Outcome.OVERWRITTEN:
        fields = "; ".join(map(str, found.differences))
        with account.change("overwrite alert policy", str(alert), policy=found.name, fields=fields):
            alerts.overwrite(found, alert)
