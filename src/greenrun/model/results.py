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


@dataclass(frozen=True, slots=True)
class EnvironmentFigures:
    """How many scenarios of an environment ended how, and what they took together."""

    environment: str
    passed: int
    failed: int
    skipped: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run came to, as its last lines tell it; all texts redacted.

    `report` is where the report is, or why there is none; `next_steps` what a person does now.
    """

    headline: str
    succeeded: bool
    environments: tuple[EnvironmentFigures, ...]
    report: str
    next_steps: tuple[str, ...]
