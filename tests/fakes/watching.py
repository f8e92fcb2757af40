"""Alert policies in memory."""

from dataclasses import dataclass, field, replace

from greenrun.model.errors import CallFailed
from greenrun.model.interfaces.alerting import Policy, PolicyDifference
from greenrun.model.monitoring import Alert


@dataclass
class MemoryAlerts:
    """Policies by the measure of their alert. `refuses` names calls that fail."""

    policies: dict[str, Policy] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)

    def find(self, alert: Alert) -> Policy | None:
        self._expect_allowed("find")
        return self.policies.get(alert.threshold.measure)

    def create(self, alert: Alert) -> None:
        self._expect_allowed("create")
        measure = alert.threshold.measure
        assert measure not in self.policies
        self.policies[measure] = Policy(f"policies/{measure}")

    def overwrite(self, policy: Policy, alert: Alert) -> None:
        self._expect_allowed("overwrite")
        assert self.policies[alert.threshold.measure] == policy
        self.policies[alert.threshold.measure] = replace(policy, differences=())

    def edit(self, measure: str, *differences: PolicyDifference) -> None:
        """What somebody does by hand; they also want to be told."""
        channels = ("their mail",)
        self.policies[measure] = replace(
            self.policies[measure], differences=differences, channels=channels
        )

    def _expect_allowed(self, call: str) -> None:
        if call in self.refuses:
            raise CallFailed(f"could not {call}: got PERMISSION_DENIED")
