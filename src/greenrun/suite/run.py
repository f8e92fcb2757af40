"""The state that the parts of the plugin share while features run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from greenrun.suite.collection import FOUND, Planned, planned
from greenrun.suite.course import Course
from greenrun.suite.narration import Narrator
from greenrun.suite.outcome import Outcome
from greenrun.suite.summary import Tally
from greenrun.suite.tags import Kind

RUN = pytest.StashKey["Run"]()


@dataclass
class Run:
    """One run of features: where it goes, how far it came, and who tells of it."""

    environments: Sequence[str]
    narrator: Narrator
    course: Course = field(init=False)
    count: int = 0
    whole: bool = False
    interrupted: str = ""
    report: str = ""
    outcome: Outcome = field(default_factory=Outcome)
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.course = Course(self.environments, frozenset())

    def plan(self, items: list[pytest.Item], config: pytest.Config) -> None:
        """Put features in order, after all ordinary tests, and see what the run holds."""
        items.sort(key=self._position)
        scenarios = [scenario for item in items if (scenario := planned(item))]
        forward = {each.environment for each in scenarios if each.kind is Kind.FORWARD}
        self.course = Course(self.environments, frozenset(forward))
        self.count = len(scenarios)
        self.whole = _is_whole(scenarios, config)

    def reason_to_skip(self, scenario: Planned) -> str:
        """Why a scenario is not attempted; empty when it is."""
        return self.course.reason_to_skip(scenario.environment, scenario.kind)

    def _position(self, item: pytest.Item) -> tuple[int, int, str, int]:
        scenario = planned(item)
        if not scenario:
            return (-1, 0, "", 0)
        environment = self.environments.index(scenario.environment)
        line = scenario.scenario.line_number
        return (environment, scenario.kind.rank, str(scenario.path), line)


def _is_whole(scenarios: Sequence[Planned], config: pytest.Config) -> bool:
    """True when no scenario beside the selected ones was left out."""
    found = config.stash[FOUND]
    beside = {path for file in found for path in file.parent.glob("*.feature")}
    return len(scenarios) == sum(found.values()) and beside == found.keys()
