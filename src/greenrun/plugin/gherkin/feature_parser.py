"""Feature files, read by pytest-bdd; what it would silently lose is refused."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.gherkin_parser import Background as BackgroundSource
from pytest_bdd.gherkin_parser import Scenario as ScenarioSource
from pytest_bdd.parser import Background, Feature, FeatureParser, Rule, Scenario, ScenarioTemplate

OUTLINES = {"Scenario Outline", "Scenario Template"}


class FeatureRefused(Exception):
    """A feature file that cannot be meant; the message starts with file and line."""


@dataclass(frozen=True)
class Reading:
    """A scenario as it will run: itself, or one row of an outline.

    `row` is empty unless the title alone would not tell it from another row.
    """

    scenario: Scenario
    tags: frozenset[str]
    row: str = ""


class _Reader(FeatureParser):
    """pytest-bdd keeps scenarios by title, so a second one of the same title would be lost."""

    def __init__(self, path: Path, shown: str) -> None:
        super().__init__(str(path.parent), path.name)
        self._shown = shown
        self._lines: dict[str, int] = {}

    def parse_scenario(
        self, scenario_data: ScenarioSource, feature: Feature, rule: Rule | None = None
    ) -> ScenarioTemplate:
        title, line = scenario_data.name, scenario_data.location.line
        if not title:
            self._refuse(line, "a scenario needs a title")
        if title in self._lines:
            self._refuse(line, f'"{title}" is the title of line {self._lines[title]} already')
        self._refuse_description(scenario_data)
        if not scenario_data.steps:
            self._refuse(line, f'"{title}" has no sentence')
        self._lines[title] = line
        template = super().parse_scenario(scenario_data, feature, rule)
        is_outline = scenario_data.examples or scenario_data.keyword in OUTLINES
        if is_outline and not any(template.examples):
            self._refuse(line, f'"{title}" has no row of examples')
        return template

    def parse_background(self, background_data: BackgroundSource) -> Background:
        self._refuse_description(background_data)
        return super().parse_background(background_data)

    def _refuse_description(self, source: ScenarioSource | BackgroundSource) -> None:
        """A first sentence with a misspelt keyword would pass as a description."""
        if text := source.description.strip():
            self._refuse(source.location.line + 1, f"not a sentence: {text.splitlines()[0]}")

    def _refuse(self, line: int, complaint: str) -> None:
        raise FeatureRefused(f"{self._shown}:{line}: {complaint}")


def read(path: Path, shown: str) -> Feature:
    """Read a feature file; `shown` is what messages call it.

    Raises FeatureRefused, which names the line.
    """
    try:
        return _Reader(path, shown).parse()
    except GherkinParseError as error:
        culprit = error.line_content.strip()
        raise FeatureRefused(f"{shown}:{error.line}: {error.message} Got: {culprit}") from error
    except UnicodeDecodeError as error:
        raise FeatureRefused(f"{shown}:1: not UTF-8: {error.reason}") from error
    except KeyError as error:  # the parser's answer to a file without a feature
        raise FeatureRefused(f"{shown}:1: holds no feature") from error


def readings(feature: Feature) -> Iterator[Reading]:
    """All that will run, in the order of the file."""
    for template in feature.scenarios.values():
        tags = feature.tags | template.tags | (template.rule.tags if template.rule else set())
        if template.examples:
            yield from _rows(template, frozenset(tags))
        else:
            yield Reading(template.render({}), frozenset(tags))


def _rows(template: ScenarioTemplate, tags: frozenset[str]) -> Iterator[Reading]:
    rows = [
        (template.render(row), row, tags | examples.tags)
        for examples in template.examples
        for row in examples.as_contexts()
    ]
    titles = Counter(scenario.name for scenario, _, _ in rows)
    for scenario, row, row_tags in rows:
        yield Reading(scenario, row_tags, _label(row) if titles[scenario.name] > 1 else "")


def _label(row: Mapping[str, str]) -> str:
    return "-".join(row.values())


def line_of_tag(path: Path, tag: str) -> int:
    """Where a tag is first written; the parser keeps tags without their lines."""
    written = re.compile(rf"(?<!\S)@{re.escape(tag)}(?!\S)")
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if written.search(line))
