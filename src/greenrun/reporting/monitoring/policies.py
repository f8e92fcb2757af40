"""Alert policies: created where they are missing, compared where they are there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from greenrun.model.interfaces.alerting import Alerts, Difference, Policy
from greenrun.model.monitoring import Alert
from greenrun.release.coordination.guard import Account


class Outcome(Enum):
    """What becomes of a policy: what is said afterwards, and what before."""

    CREATED = "created", "would be created"
    SAME = "as it has to be", "as it has to be"
    EDITED = "edited by somebody, and left so", "edited by somebody, would be left so"
    OVERWRITTEN = "edited by somebody, and overwritten", "edited by somebody, would be overwritten"

    @property
    def done(self) -> str:
        """What is said once it is done."""
        return self.value[0]

    @property
    def ahead(self) -> str:
        """What is said before anything is done."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Watched:
    """One alert, what becomes of its policy, and the policy as it was found."""

    alert: Alert
    outcome: Outcome
    found: Policy | None = None

    @property
    def differences(self) -> Sequence[Difference]:
        """Those that were found."""
        return self.found.differences if self.found else ()

    @property
    def done(self) -> str:
        """What became of the policy."""
        return self._told(self.outcome.done)

    @property
    def ahead(self) -> str:
        """What a release would make of it."""
        return self._told(self.outcome.ahead)

    def __str__(self) -> str:
        return f"alert policy for {self.alert}: {self.done}"

    def _told(self, outcome: str) -> str:
        heard = self.found is not None and self.found.channels
        silent = "" if heard else "; tells nobody until it is given a notification channel"
        return "\n  ".join([f"{outcome}{silent}", *map(str, self.differences)])


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
