"""A sentence may ask for what a later feature is going to say."""

from pathlib import Path

import pytest

from greenrun.model.errors import ReleaseError
from greenrun.plugin.gherkin.tables import first_table, tables

SENTENCE = "these objectives of the canary"
TABLE = "\n      | measure | at most |\n      | {} | 5 % |\n"
LATER = f"Feature: B\n  Background:\n    Given {SENTENCE}{TABLE}\n  Scenario: S\n    When it runs\n"


def written(folder: Path, **features: str) -> Path:
    for name, text in features.items():
        (folder / f"{name}.feature").write_text(text)
    return folder


def test_the_first_table_in_the_order_of_the_features(tmp_path: Path) -> None:
    scenario = f"Feature: C\n  Scenario: S\n    Given {SENTENCE}{TABLE.format('p99')}"
    bare = f"Feature: A\n  Scenario: S\n    Given {SENTENCE}\n"
    folder = written(tmp_path, c=scenario, b=LATER.format("errors"), a=bare)
    assert first_table(folder, SENTENCE) == [["measure", "at most"], ["errors", "5 %"]]
    (folder / "b.feature").unlink()
    assert first_table(folder, SENTENCE) == [["measure", "at most"], ["p99", "5 %"]]


def test_every_table_in_the_order_of_the_features(tmp_path: Path) -> None:
    later, earlier = LATER.format("errors"), LATER.format("p99")
    found = tables(written(tmp_path, b=later, a=earlier), SENTENCE)
    assert [body for _, body in found] == [["p99", "5 %"], ["errors", "5 %"]]
    assert list(tables(tmp_path, "the moon is full")) == []


def test_what_nobody_says(tmp_path: Path) -> None:
    assert first_table(written(tmp_path, b=LATER.format("errors")), "the moon is full") is None


def test_a_feature_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"/a\.feature:1: "):
        first_table(written(tmp_path, a="nothing\n"), SENTENCE)


def test_what_a_drill_says_is_not_of_the_release(tmp_path: Path) -> None:
    scenario = f"  @drill\n  Scenario: D\n    Given {SENTENCE}{TABLE.format('drill')}"
    skipped = scenario.replace("@drill", "@skip").replace("D\n", "E\n")
    folder = written(tmp_path, a=f"Feature: A\n{scenario}\n{skipped}", b=LATER.format("errors"))
    assert list(tables(folder, SENTENCE)) == [[["measure", "at most"], ["errors", "5 %"]]]


def test_features_in_folders_below_are_looked_at(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    written(below, a=LATER.format("errors"))
    assert first_table(tmp_path, SENTENCE) == [["measure", "at most"], ["errors", "5 %"]]
