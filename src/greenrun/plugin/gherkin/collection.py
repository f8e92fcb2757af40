"""Feature files become tests: one per scenario (or row of an outline) and environment."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest
from pytest_bdd.parser import Feature, Scenario, Step

from greenrun.plugin.gherkin import feature_parser, tags
from greenrun.plugin.gherkin.execution import perform
from greenrun.plugin.gherkin.milestones import Milestone
from greenrun.plugin.gherkin.step_binding import Definition
from greenrun.plugin.gherkin.tags import Kind


@dataclass(frozen=True)
class PlannedScenario:
    """A scenario in one environment.

    `bindings` are its definitions, one a sentence; `milestones` what sentences reach, where any.
    """

    scenario: Scenario
    environment: str
    tags: frozenset[str]
    row: str
    path: Path
    bindings: list[Definition] = field(default_factory=list)
    milestones: dict[Step, frozenset[Milestone]] = field(default_factory=dict)

    @property
    def feature(self) -> Feature:
        return self.scenario.feature

    @property
    def title(self) -> str:
        return f"{self.scenario.name} [{self.row}]" if self.row else self.scenario.name

    @property
    def kind(self) -> Kind:
        return tags.kind(self.tags)

    @property
    def place(self) -> str:
        return f"{self.feature.name}: {self.title}"


PLANNED = pytest.StashKey[PlannedScenario]()
REFUSED = pytest.StashKey[list[str]]()
ENVIRONMENTS = pytest.StashKey[Sequence[str]]()
FOUND = pytest.StashKey[dict[Path, int]]()
DESCRIPTIONS = pytest.StashKey[Mapping[int, str]]()
"""What a feature file says in prose, by line."""


def scenario_of(item: pytest.Item | None) -> PlannedScenario | None:
    """The scenario behind a test, or None for any other test."""
    return item.stash.get(PLANNED, None) if item else None


def release_scenarios(scenarios: Iterable[PlannedScenario | None]) -> int:
    """How many of them are part of a release: a drill proves nothing of the candidate."""
    return sum(each is not None and each.kind is not Kind.DRILL for each in scenarios)


class FeatureFile(pytest.Module):
    """A feature file, in the place where pytest expects a module of test functions."""

    def collect(self) -> Iterator[pytest.Item]:
        self.obj = ModuleType(self.path.stem)
        self._known = known_tags(self.config)
        try:
            text = feature_parser.read(self.path, self.nodeid)
        except feature_parser.FeatureRefused as refusal:
            self.config.stash[REFUSED].append(str(refusal))
            return
        items = [item for reading in feature_parser.readings(text) for item in self._items(reading)]
        self.stash[DESCRIPTIONS] = text.descriptions
        self.config.stash[FOUND][self.path] = release_scenarios(map(scenario_of, items))
        yield from items

    def istestfunction(self, obj: object, name: str) -> bool:  # noqa: ARG002, what pytest hands over
        return True

    def _items(self, reading: feature_parser.Reading) -> Iterator[pytest.Item]:
        environments = tags.environments(reading.tags, self.config.stash[ENVIRONMENTS])
        if not environments:
            return
        name = reading.scenario.name
        function = _placed(_function(environments, reading.row), self.path, reading.line)
        function = self._tagged(function, reading.tags)
        setattr(self.obj, name, function)
        made = self.ihook.pytest_pycollect_makeitem(collector=self, name=name, obj=function)
        for item, environment in zip(made, environments, strict=True):
            item.stash[PLANNED] = PlannedScenario(
                reading.scenario, environment, reading.tags, reading.row, self.path
            )
            yield item

    def _tagged(self, function: Callable[..., None], names: frozenset[str]) -> Callable[..., None]:
        for tag in sorted(names & self._known):
            self.config.hook.pytest_bdd_apply_tag(tag=tag, function=function)
        return function


def _function(environments: Sequence[str], row: str) -> Callable[..., None]:
    """Make what pytest calls for a scenario; the parameter says where."""

    def scenario(request: pytest.FixtureRequest, environment: str) -> None:  # noqa: ARG001, set up first
        __tracebackhide__ = True
        here = request.node.stash[PLANNED]
        perform(request, here.scenario, here.bindings)

    ids = [f"{name}-{row}" if row else name for name in environments]
    parametrize = pytest.mark.parametrize
    return parametrize("environment", environments, ids=ids, indirect=True, scope="session")(
        scenario
    )


def _placed(function: Callable[..., None], path: Path, line: int) -> Callable[..., None]:
    """Have whoever asks for the file and line of a test find the scenario in its feature."""
    function.__code__ = function.__code__.replace(co_filename=str(path), co_firstlineno=line)
    return function


def known_tags(config: pytest.Config) -> set[str]:
    """Tags that greenrun knows, and markers that the project has registered."""
    registered = (line.split(":")[0].split("(")[0].strip() for line in config.getini("markers"))
    return {*tags.MEANINGS, *registered}
