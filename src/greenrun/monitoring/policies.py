"""Alert policies: created where they are missing, compared where they are there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from greenrun.account import Account
from greenrun.domain.watching import Alert
from greenrun.ports.watching import Alerts, Difference, Policy


class Outcome(Enum):
    """What became of a policy."""

    CREATED = "created"
    SAME = "as it has to be"
    EDITED = "edited by somebody, and left so"
    OVERWRITTEN = "edited by somebody, and overwritten"


@dataclass(frozen=True, slots=True)
class Watched:
    """One alert and its policy. `differences` are those that were found."""

    alert: Alert
    outcome: Outcome
    differences: Sequence[Difference] = ()
    channels: Sequence[str] = ()

    def __str__(self) -> str:
        told = "" if self.channels else "; tells nobody until it is given a notification channel"
        lines = [f"alert policy for {self.alert}: {self.outcome.value}{told}"]
        return "\n  ".join([*lines, *map(str, self.differences)])


def watch(
    wanted: Iterable[Alert], alerts: Alerts, account: Account, *, overwrite: bool = False
) -> tuple[Watched, ...]:
    """Give each alert its policy. Every change is journalled, and made under the lock.

    Raises:
        CallFailed: the platform refuses, or has several policies for one alert.
    """
    return tuple(_watch(alert, alerts, account, overwrite=overwrite) for alert in wanted)


def _watch(alert: Alert, alerts: Alerts, account: Account, *, overwrite: bool) -> Watched:
    found = alerts.find(alert)
    if found is None:
        with account.change("create alert policy", str(alert)):
            alerts.create(alert)
        return Watched(alert, Outcome.CREATED)
    if not found.differences:
        return Watched(alert, Outcome.SAME, channels=found.channels)
    if overwrite:
        _overwrite(found, alert, alerts, account)
    outcome = Outcome.OVERWRITTEN if overwrite else Outcome.EDITED
    return Watched(alert, outcome, found.differences, found.channels)


def _overwrite(found: Policy, alert: Alert, alerts: Alerts, account: Account) -> None:
    fields = "; ".join(map(str, found.differences))
    with account.change("overwrite alert policy", str(alert), policy=found.name, fields=fields):
        alerts.overwrite(found, alert)
