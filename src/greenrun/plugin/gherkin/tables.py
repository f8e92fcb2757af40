"""What a later feature is going to say, for sentences that come before it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_bdd.parser import Feature, Step

from greenrun.model.errors import ReleaseError
from greenrun.plugin.gherkin import feature_parser

Rows = Sequence[Sequence[str]]


def first_table(folder: Path, sentence: str) -> Rows | None:
    """The table below the first such sentence of the features in a folder, in their order.

    Raises ReleaseError where a feature cannot be read.
    """
    return next(tables(folder, sentence), None)


def tables(folder: Path, sentence: str) -> Iterator[Rows]:
    """The tables below every such sentence of the features in a folder, in their order.

    Raises ReleaseError where a feature cannot be read.
    """
    for path in sorted(folder.glob("*.feature")):
        for step in _steps(_read(path)).values():
            if step.name == sentence and step.datatable is not None:
                yield [list(map(str, row)) for row in step.datatable.raw()]


def _read(path: Path) -> Feature:
    try:
        return feature_parser.read(path, f"{path.parent.name}/{path.name}")
    except feature_parser.FeatureRefused as refusal:
        raise ReleaseError(str(refusal)) from refusal


def _steps(feature: Feature) -> dict[int, Step]:
    """Every step by its line; scenarios repeat those of the background."""
    return {
        step.line_number: step for template in feature.scenarios.values() for step in template.steps
    }
