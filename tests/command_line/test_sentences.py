"""`greenrun sentences`: what a feature can say, as docs/sentences.md has it."""

from pathlib import Path

import pytest
from pytest_bdd.steps import StepFunctionContext as Definition

from greenrun.checks.table import TableForm
from greenrun.plugin.gherkin.step_binding import form_of
from greenrun_cli import vocabulary
from greenrun_cli.examples import OF_A_TABLE
from tests.command_line.conftest import Greenrun

PAGE = Path(__file__).parents[2] / "docs/sentences.md"
OF_THE_PACKAGE = [
    each
    for each in vocabulary.definitions()
    if each.step_func.__module__.startswith("greenrun.steps")
]


def test_the_page_is_what_the_command_prints(greenrun: Greenrun) -> None:
    told = greenrun("sentences").stdout

    assert told == PAGE.read_text("utf-8"), "greenrun sentences > docs/sentences.md"


def test_sentences_of_a_repository_s_own_come_last(tmp_path: Path, greenrun: Greenrun) -> None:
    (tmp_path / "features").mkdir()
    (tmp_path / "features/01.feature").write_text(
        "Feature: A\n\n  Scenario: B\n    Then the moon is full\n"
    )
    (tmp_path / "release.yaml").write_text("service: shop\n")
    (tmp_path / "conftest.py").write_text(
        '"""Sentences about the moon."""\nfrom pytest_bdd import then\n\n'
        "@then('the moon is full')\ndef _(): ...\n"
    )

    told = greenrun("sentences").stdout

    assert told.endswith("\n## Sentences about the moon (conftest)\n- `Then the moon is full`\n")


@pytest.mark.parametrize("definition", OF_THE_PACKAGE, ids=lambda each: each.parser.name)
def test_an_example_is_the_sentence_with_a_table_that_can_be_read(definition: Definition) -> None:
    sentence, *_rows = vocabulary.example(definition)

    assert definition.parser.is_matching(sentence.partition(" ")[2])
    if form := form_of(definition):
        assert isinstance(form, TableForm)
        assert form.faults(OF_A_TABLE[form.what], PAGE.parent) == []
