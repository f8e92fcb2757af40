"""What becomes of an alert policy in a release."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from greenrun.model.interfaces.alerting import Policy, PolicyDifference
from greenrun.model.monitoring import Alert


class AlertOutcome(Enum):
    """What becomes of a policy: in words for afterwards, and for before."""

    CREATED = "created", "would be created"
    SAME = "as it has to be", "as it has to be"
    EDITED = "edited by somebody, and left so", "edited by somebody, would be left so"
    OVERWRITTEN = "edited by somebody, and overwritten", "edited by somebody, would be overwritten"

    @property
    def done(self) -> str:
        """In words for afterwards."""
        return self.value[0]

    @property
    def planned(self) -> str:
        """In words for before anything is done."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """One alert, what becomes of its policy, and the policy as it was found."""

    alert: Alert
    outcome: AlertOutcome
    found: Policy | None = None

    @property
    def differences(self) -> Sequence[PolicyDifference]:
        """The differences that were found."""
        return self.found.differences if self.found else ()

    @property
    def done(self) -> str:
        """What became of the policy."""
        return self._with_details(self.outcome.done)

    @property
    def planned(self) -> str:
        """What a release would make of it."""
        return self._with_details(self.outcome.planned)

    def __str__(self) -> str:
        return f"alert policy for {self.alert}: {self.done}"

    def _with_details(self, outcome: str) -> str:
        has_channels = self.found is not None and self.found.channels
        silent = (
            "" if has_channels else "; notifies nobody until it is given a notification channel"
        )
        return "\n  ".join([f"{outcome}{silent}", *map(str, self.differences)])
