"""What became of the scenarios of a release."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """One scenario in one environment. `ending` is `passed`, `failed` or `skipped`.

    `reason` is the first line of why it failed or was not attempted, redacted; else empty.
    """

    environment: str
    feature: str
    title: str
    ending: str
    seconds: float
    reason: str = field(default="", repr=False)
