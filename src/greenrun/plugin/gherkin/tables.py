"""What a later feature is going to say, for sentences that come before it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pytest_bdd.parser import Feature, ScenarioTemplate, Step

from greenrun.model.errors import ReleaseError
from greenrun.plugin.gherkin import feature_parser

Rows = Sequence[Sequence[str]]

_ELSEWHERE = {"drill", "skip"}
"""What a drill says is of another service; what is skipped says nothing."""


def features_folder(config: pytest.Config, feature: Path | None = None) -> Path:
    """Where the features of a release are, and what their tables name by file.

    One that stands elsewhere has those beside it for company.
    """
    home = config.rootpath / "features"
    return feature.parent if feature and not feature.is_relative_to(home) else home


def first_table(folder: Path, sentence: str) -> Rows | None:
    """The table below the first such sentence of the features in a folder, and below.

    Raises ReleaseError where a feature cannot be read.
    """
    return next(tables(folder, sentence), None)


def tables(folder: Path, sentence: str) -> Iterator[Rows]:
    """The tables below every such sentence of the features in a folder, and below.

    Raises ReleaseError where a feature cannot be read.
    """
    for path in sorted(folder.rglob("*.feature")):
        for step in _steps(_read(path, folder)).values():
            if step.name == sentence and step.datatable is not None:
                yield [list(map(str, row)) for row in step.datatable.raw()]


def _read(path: Path, folder: Path) -> Feature:
    try:
        return feature_parser.read(path, str(path.relative_to(folder.parent))).feature
    except feature_parser.FeatureRefused as refusal:
        raise ReleaseError(str(refusal)) from refusal


def _steps(feature: Feature) -> dict[int, Step]:
    """Every step of the release by its line; scenarios repeat those of the background."""
    release = (each for each in feature.scenarios.values() if not _tags(each) & _ELSEWHERE)
    return {step.line_number: step for template in release for step in template.steps}


def _tags(template: ScenarioTemplate) -> set[str]:
    ruled = template.rule.tags if template.rule else set[str]()
    return {*template.feature.tags, *template.tags, *ruled}
