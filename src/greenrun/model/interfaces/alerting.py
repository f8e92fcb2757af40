"""Who is told when the service is not as it has to be, after a release is long over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from greenrun.model.monitoring import Alert


@dataclass(frozen=True, slots=True)
class PolicyDifference:
    """One field of an alert policy that is not as the objectives have it."""

    field: str
    got: str
    needs: str

    def __str__(self) -> str:
        return f"{self.field}: got {self.got}, needs {self.needs}"


@dataclass(frozen=True, slots=True)
class Policy:
    """An alert policy as it stands. `channels` are those that people want to be told by."""

    name: str
    differences: Sequence[PolicyDifference] = ()
    channels: Sequence[str] = ()


class Alerts(Protocol):
    """Alert policies of one service. One alert has one policy, whatever people call it.

    Every call raises CallFailed when refused.
    """

    def find(self, alert: Alert) -> Policy | None:
        """One reading; None where there is none. Raises CallFailed where there are several."""

    def create(self, alert: Alert) -> None:
        """Create the policy, without a channel. It takes effect once, however often it is sent."""

    def overwrite(self, policy: Policy, alert: Alert) -> None:
        """Make a policy what it has to be, and leave its channels as people have set them."""
