"""Everything that is checked before the first sentence runs; all complaints come at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import pytest

from greenrun.model.extras import Extra
from greenrun.model.plan import REHEARSAL
from greenrun.plugin.gherkin import feature_parser, step_binding
from greenrun.plugin.gherkin.collection import (
    DESCRIPTIONS,
    PlannedScenario,
    known_tags,
    scenario_of,
)
from greenrun.plugin.gherkin.milestones import Milestone, needed_by
from greenrun.plugin.gherkin.step_binding import Definition, Vocabulary
from greenrun.plugin.gherkin.tables import features_folder
from greenrun.plugin.gherkin.tags import nearest


def bind(items: Sequence[pytest.Item], config: pytest.Config) -> list[str]:
    """Give every scenario its step definitions; return what stands in the way, without repeats."""
    return list(dict.fromkeys(_complaints(items, config)))


def _complaints(items: Sequence[pytest.Item], config: pytest.Config) -> Iterator[str]:
    words = cache(step_binding.vocabulary)
    known = known_tags(config)
    files = [item.parent for item in items if scenario_of(item) and item.parent]
    for parent in dict.fromkeys(files):
        yield from _lost_sentences(parent, words(parent))
    for item in items:
        if not (scenario := scenario_of(item)):
            continue
        file = item.nodeid.partition("::")[0]
        if item.get_closest_marker("xfail"):
            line = scenario.scenario.line_number
            yield f"{file}:{line}: @xfail: a gate that is expected to close is none; leave it out"
        yield from _unknown_tags(scenario, known, file)
        yield from _unbound(scenario, words(item.parent), config, file)
        yield from _unmade(item, scenario, file)


def _lost_sentences(file: pytest.Collector, words: Vocabulary) -> Iterator[str]:
    """What a feature says where nothing runs: below its own heading, or that of a rule."""
    for line, text in file.stash[DESCRIPTIONS].items():
        if meant := words.meant_by(text):
            lost = f"reads as a description, and would not run: {text}"
            yield f'{file.nodeid}:{line}: {lost}; nearest: "{meant}"'


def _unknown_tags(scenario: PlannedScenario, known: Iterable[str], file: str) -> Iterator[str]:
    for tag in sorted(scenario.tags.difference(known)):
        meant = nearest(tag, sorted(known))
        hint = f"; nearest: @{meant}" if meant else ""
        yield f"{file}:{feature_parser.line_of_tag(scenario.path, tag)}: unknown tag @{tag}{hint}"


def _unbound(
    scenario: PlannedScenario, words: Vocabulary, config: pytest.Config, file: str
) -> Iterator[str]:
    folder = features_folder(config)
    for sentence in scenario.scenario.steps:
        definitions = words.definitions(sentence)
        if len(definitions) == 1:
            scenario.bindings.append(definitions[0])
            if reached := words.milestones(sentence):
                scenario.milestones[sentence] = reached
            if (extra := _extra(definitions[0])) and not extra.is_installed:
                yield f"{file}:{sentence.line_number}: {sentence.name!r}: {extra.lack}"
            for fault in step_binding.table_faults(sentence, definitions[0], folder):
                yield f"{file}:{fault}"
        else:
            wrong = step_binding.complaint(sentence, words, config.rootpath)
            yield f"{file}:{sentence.line_number}: {wrong}"


def _unmade(item: pytest.Item, scenario: PlannedScenario, file: str) -> Iterator[str]:
    """What a step function takes that is no fixture, and that no sentence before it makes."""
    if len(scenario.bindings) < len(scenario.scenario.steps):
        return
    known = {"request"}
    for sentence, definition in zip(scenario.scenario.steps, scenario.bindings, strict=True):
        for name in step_binding.taken_from_fixtures(sentence, definition):
            for lack in step_binding.lacking(item, name, known):
                told = f'"{sentence.name}" needs {lack}, and no sentence before it makes that'
                yield f"{file}:{sentence.line_number}: {told}"
        known.add(definition.target_fixture or "request")


def _extra(definition: Definition) -> Extra | None:
    """What the module of a step definition says that it needs."""
    needed: Extra | None = definition.step_func.__globals__.get("EXTRA")
    return needed


@dataclass(frozen=True)
class Route:
    """The scenarios of a run in their order, and what has to be reached in each environment.

    `is_rehearsed`: an earlier rehearsal has left its image.
    """

    items: Sequence[pytest.Item]
    environments: Sequence[str]
    goal: Milestone | None
    is_rehearsed: bool = False
    _reached: dict[str, set[Milestone]] = field(default_factory=dict)

    def complaints(self) -> list[str]:
        """What sentences lack that none before them brings, and where the goal is not reached."""
        words = cache(step_binding.vocabulary)
        lacks: dict[tuple[str, Milestone], str] = {}
        for item in self.items:
            scenario = scenario_of(item)
            if scenario and not _is_skipped(item):
                for milestone, told in self._walk(scenario, words(item.parent)):
                    file = item.nodeid.partition("::")[0]
                    lacks.setdefault((file, milestone), f"{file}:{told}")
        return [*lacks.values(), *self._unreached(words)]

    def _walk(
        self, scenario: PlannedScenario, words: Vocabulary
    ) -> Iterator[tuple[Milestone, str]]:
        place = scenario.environment
        here = self._reached.setdefault(place, set())
        here |= self._handed_on(place)
        for sentence, definition in zip(scenario.scenario.steps, scenario.bindings, strict=True):
            for lack in sorted(needed_by(definition.step_func) - here, key=lambda each: each.value):
                needed = f'"{sentence.name}" needs {lack.value} on {place}'
                said = f'no scenario before it says "{words.reaching(lack)}"'
                yield lack, f"{sentence.line_number}: {needed}: {said}"
            here |= scenario.milestones.get(sentence, frozenset())

    def _handed_on(self, environment: str) -> set[Milestone]:
        """A rehearsal needs no registry, and hands its image on once it is over."""
        if environment == REHEARSAL:
            return {Milestone.PUSHED}
        handed_on = self.is_rehearsed or Milestone.IMAGE in self._reached.get(REHEARSAL, ())
        return {Milestone.IMAGE} if handed_on else set()

    def _unreached(self, words: Callable[[pytest.Collector], Vocabulary]) -> Iterator[str]:
        short = [e for e in self.environments if self.goal not in self._reached.get(e, ())]
        if self.goal and short:
            parents = (item.parent for item in self.items if scenario_of(item) and item.parent)
            said = next((words(parent).reaching(self.goal) for parent in parents), "")
            scenario = f'a scenario that says "{said}"' if said else "features (features/)"
            got = f"got no scenario that brings {self.goal.value} on {', '.join(short)}"
            yield f"what was selected is no release: {got}, needs {scenario}"


def _is_skipped(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("skip", "skipif"))
