"""The guides tell every sentence and column about endpoints, and their table can be read."""

import re
from pathlib import Path

import pytest

from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.checks.http.flow import FLOW

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "endpoints.md").read_text("utf-8")
GUIDES = GUIDE + "".join(
    (ROOT / "docs" / name).read_text("utf-8") for name in ("pages-and-openapi.md", "monitoring.md")
)
STEPS = "".join(
    (ROOT / "src/greenrun/steps" / name).read_text("utf-8")
    for name in ("endpoints.py", "metrics.py")
)


def sentences() -> list[str]:
    """As they are defined, without what is filled in."""
    return [
        found[2].replace("\\'", "'")
        for found in re.finditer(
            r"@(?:given|when|then)\(\s*(?:parsers\.parse\()?(['\"])(.+?)\1[),]", STEPS
        )
    ]


def plain(text: str) -> str:
    """What a sentence says whatever is filled in."""
    unquoted = re.sub(r'"[^"\n]*"', '"_"', text)
    return re.sub(r"\{\w+(:d)?\}|\b[A-Z]+\b", "_", unquoted)


def test_there_are_sentences() -> None:
    assert len(sentences()) == STEPS.count("def _(")


@pytest.mark.parametrize("sentence", sentences())
def test_a_sentence_is_in_the_guide(sentence: str) -> None:
    assert plain(sentence) in plain(GUIDES)


@pytest.mark.parametrize("column", [*ENDPOINTS.names, *FLOW.names])
def test_a_column_is_in_the_guide(column: str) -> None:
    assert re.search(rf"(?m)^\|.*`{column}`.*\|", GUIDE)


def test_the_table_of_the_guide_can_be_read() -> None:
    (example,) = re.findall(r"```gherkin\n(.*?)```", GUIDE, re.DOTALL)
    table = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in example.splitlines()
        if line.lstrip().startswith("|")
    ]
    assert [row.number for row in FLOW.read(table)] == [1, 2]
