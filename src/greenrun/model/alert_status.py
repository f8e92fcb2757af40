"""What becomes of an alert policy in a release."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from greenrun.model.interfaces.alerting import Difference, Policy
from greenrun.model.monitoring import Alert


class AlertOutcome(Enum):
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
class AlertStatus:
    """One alert, what becomes of its policy, and the policy as it was found."""

    alert: Alert
    outcome: AlertOutcome
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
