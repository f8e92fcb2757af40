"""Everything that is checked before the first sentence runs; all complaints come at once."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import pytest

from greenrun.model.extras import Extra
from greenrun.plugin.gherkin import feature_parser, step_binding
from greenrun.plugin.gherkin.collection import PlannedScenario, known_tags, scenario_of
from greenrun.plugin.gherkin.step_binding import Definition, Vocabulary
from greenrun.plugin.gherkin.tags import nearest


def bind(items: Sequence[pytest.Item], config: pytest.Config) -> list[str]:
    """Give every scenario its step definitions; return what stands in the way, without repeats."""
    return list(dict.fromkeys(_complaints(items, config)))


def _complaints(items: Sequence[pytest.Item], config: pytest.Config) -> Iterator[str]:
    words = cache(step_binding.vocabulary)
    known = known_tags(config)
    for item in items:
        if not (scenario := scenario_of(item)):
            continue
        file = item.nodeid.partition("::")[0]
        yield from _unknown_tags(scenario, known, file)
        yield from _unbound(scenario, words(item.parent), config, file)


def _unknown_tags(scenario: PlannedScenario, known: Iterable[str], file: str) -> Iterator[str]:
    for tag in sorted(scenario.tags.difference(known)):
        meant = nearest(tag, sorted(known))
        hint = f"; nearest: @{meant}" if meant else ""
        yield f"{file}:{feature_parser.line_of_tag(scenario.path, tag)}: unknown tag @{tag}{hint}"


def _unbound(
    scenario: PlannedScenario, words: Vocabulary, config: pytest.Config, file: str
) -> Iterator[str]:
    for sentence in scenario.scenario.steps:
        definitions = words.definitions(sentence)
        if len(definitions) == 1:
            scenario.bindings.append(definitions[0])
            if (extra := _extra(definitions[0])) and not extra.is_installed:
                yield f"{file}:{sentence.line_number}: {sentence.name!r}: {extra.lack}"
            for fault in step_binding.table_faults(sentence, definitions[0], scenario.path.parent):
                yield f"{file}:{fault}"
        else:
            wrong = step_binding.complaint(sentence, words, config.rootpath)
            yield f"{file}:{sentence.line_number}: {wrong}"


def _extra(definition: Definition) -> Extra | None:
    """What the module of a step definition says that it needs."""
    needed: Extra | None = definition.step_func.__globals__.get("EXTRA")
    return needed
