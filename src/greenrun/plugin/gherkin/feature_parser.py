"""Feature files, read by pytest-bdd; what it would silently lose is refused."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.gherkin_parser import Background as BackgroundSource
from pytest_bdd.gherkin_parser import ExamplesTable, GherkinDocument
from pytest_bdd.gherkin_parser import Feature as FeatureSource
from pytest_bdd.gherkin_parser import Rule as RuleSource
from pytest_bdd.gherkin_parser import Scenario as ScenarioSource
from pytest_bdd.gherkin_parser import Step as StepSource
from pytest_bdd.parser import Background, Feature, FeatureParser, Rule, Scenario, ScenarioTemplate

from greenrun.plugin.gherkin.keywords import Keywords

LARGEST = 1 << 20
"""Bytes of a feature file."""

_PLACEHOLDER = re.compile(r"<(\S|\S.*?\S)>")


class FeatureRefused(Exception):
    """A feature file that cannot be meant; the message starts with file and line."""


@dataclass(frozen=True)
class Reading:
    """A scenario as it will run: itself, or one row of an outline, which stands at `line`.

    `row` is empty unless the title alone would not tell it from another row.
    """

    scenario: Scenario
    tags: frozenset[str]
    line: int
    row: str = ""


@dataclass(frozen=True)
class FeatureFileText:
    """A feature, where the rows of its outlines stand, and its descriptions by their lines."""

    feature: Feature
    rows: Mapping[str, Sequence[int]]
    descriptions: Mapping[int, str]


class _Reader(FeatureParser):
    """pytest-bdd keeps scenarios by title, so a second one of the same title would be lost.

    Gherkin takes for a description whatever it does not understand below a heading.
    """

    def __init__(self, path: Path, shown: str) -> None:
        super().__init__(str(path.parent), path.name, "utf-8-sig")
        self._path, self._shown = path, shown
        self._titles: dict[str, int] = {}
        self._text: list[str] = []
        self._keywords = Keywords("en")
        self.rows: dict[str, list[int]] = {}
        self.descriptions: dict[int, str] = {}

    def _parse_feature_file(self) -> GherkinDocument:
        self._text = re.split("\r\n|\r|\n", self._decoded())
        document = super()._parse_feature_file()
        self._keywords = Keywords(document.feature.language)
        self._read_description(document.feature)
        if not any(child.scenario or child.rule for child in document.feature.children):
            self._refuse(document.feature.location.line, "holds no scenario")
        return document

    def _decoded(self) -> str:
        with self._path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            self._refuse(1, f"got more than {LARGEST} bytes, needs a smaller file")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise FeatureRefused(f"{self._shown}:{line}: not UTF-8: {error.reason}") from error

    def _parse_and_add_rule(self, rule_data: RuleSource, feature: Feature) -> None:
        self._read_description(rule_data)
        if not any(child.scenario for child in rule_data.children):
            self._refuse(rule_data.location.line, f'rule "{rule_data.name}" holds no scenario')
        super()._parse_and_add_rule(rule_data, feature)

    def parse_scenario(
        self, scenario_data: ScenarioSource, feature: Feature, rule: Rule | None = None
    ) -> ScenarioTemplate:
        title, line = scenario_data.name, scenario_data.location.line
        if not title:
            self._refuse(line, "a scenario needs a title")
        if title in self._titles:
            self._refuse(line, f'"{title}" is the title of line {self._titles[title]} already')
        self._refuse_description(scenario_data)
        if not scenario_data.steps:
            self._refuse(line, f'"{title}" has no sentence')
        self._titles[title] = line
        self._check_examples(scenario_data)
        return super().parse_scenario(scenario_data, feature, rule)

    def parse_background(self, background_data: BackgroundSource) -> Background:
        self._refuse_description(background_data)
        if not background_data.steps:
            self._refuse(background_data.location.line, "a background needs a sentence")
        return super().parse_background(background_data)

    def _check_examples(self, source: ScenarioSource) -> None:
        line, title = source.location.line, source.name
        if not source.examples and self._keywords.begin_outline(source.keyword):
            self._refuse(line, f'"{title}" has no row of examples')
        for examples in source.examples:
            if not (examples.table_header and examples.table_body):
                self._refuse(examples.location.line, f'"{title}" has no row of examples')
            self._check_columns(examples, source)
        bodies = (row for examples in source.examples for row in examples.table_body or ())
        self.rows[title] = [row.location.line for row in bodies]

    def _check_columns(self, examples: ExamplesTable, source: ScenarioSource) -> None:
        assert examples.table_header is not None  # noqa: S101, the caller has looked
        columns = [cell.value for cell in examples.table_header.cells]
        place = examples.table_header.location.line
        for name, times in Counter(columns).items():
            if times > 1:
                self._refuse(place, f"got {times} columns {name}, needs one")
        for line, text in _texts(source):
            for name in _PLACEHOLDER.findall(text):
                if name not in columns:
                    told = f"the examples of line {examples.location.line} name no such column"
                    self._refuse(line, f"<{name}>: {told}: {', '.join(columns)}")

    def _refuse_description(self, source: ScenarioSource | BackgroundSource) -> None:
        """A first sentence with a misspelt keyword would pass as a description."""
        for line, text in self._lines(source):
            self._refuse(line, f"not a sentence: {text}")

    def _read_description(self, source: FeatureSource | RuleSource) -> None:
        """Prose is welcome here; what looks like Gherkin would be lost."""
        for line, text in self._lines(source):
            self.descriptions[line] = text
            if meant := self._keywords.meant_by(text):
                self._refuse(
                    line, f"reads as a description, and would not run: {text}; nearest: {meant}"
                )

    def _lines(
        self, source: FeatureSource | RuleSource | ScenarioSource | BackgroundSource
    ) -> Iterator[tuple[int, str]]:
        """The lines of a description that say something, each with its number."""
        number = source.location.line
        for text in filter(None, map(str.strip, source.description.split("\n"))):
            below = range(number + 1, len(self._text) + 1)
            number = next(at for at in below if self._text[at - 1].strip() == text)
            yield number, text

    def _refuse(self, line: int, complaint: str) -> None:
        raise FeatureRefused(f"{self._shown}:{line}: {complaint}")


def _texts(source: ScenarioSource) -> Iterator[tuple[int, str]]:
    """Everything of an outline in which a placeholder may stand, by line."""
    yield source.location.line, source.name
    for step in source.steps:
        yield from _texts_of(step)


def _texts_of(step: StepSource) -> Iterator[tuple[int, str]]:
    yield step.location.line, step.text
    if step.docstring:
        yield step.docstring.location.line, step.docstring.content
    for row in step.datatable.rows if step.datatable else ():
        for cell in row.cells:
            yield row.location.line, cell.value


def read(path: Path, shown: str) -> FeatureFileText:
    """Read a feature file; `shown` is what messages call it.

    Raises FeatureRefused, which names the line.
    """
    reader = _Reader(path, shown)
    try:
        feature = reader.parse()
    except GherkinParseError as error:
        culprit = error.line_content.strip()
        raise FeatureRefused(f"{shown}:{error.line}: {error.message} Got: {culprit}") from error
    except OSError as error:
        raise FeatureRefused(f"{shown}:1: could not be read: {error.strerror}") from error
    except (KeyError, AttributeError) as error:  # the parser's answer to a file without a feature
        raise FeatureRefused(f"{shown}:1: holds no feature") from error
    return FeatureFileText(feature, reader.rows, reader.descriptions)


def readings(text: FeatureFileText) -> Iterator[Reading]:
    """All that will run, in the order of the file."""
    feature = text.feature
    for template in feature.scenarios.values():
        tags = feature.tags | template.tags | (template.rule.tags if template.rule else set())
        if template.examples:
            yield from _rows(template, frozenset(tags), text.rows[template.name])
        else:
            yield Reading(template.render({}), frozenset(tags), template.line_number)


def _rows(
    template: ScenarioTemplate, tags: frozenset[str], lines: Sequence[int]
) -> Iterator[Reading]:
    rows = [
        (template.render(row), row, tags | examples.tags)
        for examples in template.examples
        for row in examples.as_contexts()
    ]
    titles = Counter(scenario.name for scenario, _, _ in rows)
    for (scenario, row, row_tags), line in zip(rows, lines, strict=True):
        label = _label(row) if titles[scenario.name] > 1 else ""
        yield Reading(scenario, row_tags, line, label)


def _label(row: Mapping[str, str]) -> str:
    return "-".join(row.values())


def line_of_tag(path: Path, tag: str) -> int:
    """Where a tag is first written; the parser keeps tags without their lines."""
    written = re.compile(rf"(?<!\S)@{re.escape(tag)}(?!\S)")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return next(number for number, line in enumerate(lines, 1) if written.search(line))
