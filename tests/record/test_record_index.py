"""The index has a row for each release, and leaves what people wrote as it is."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from greenrun.reporting.record.index import PAGE, TABLE, with_row
from greenrun.reporting.record.record import AS_BEFORE
from tests.record.samples import RELEASE

NAME = "2026-11-21-deploy-20261121-080000.md"
ROW = (
    "| 2026-11-21 08:00 | prod | shop-20261121-080000 | shop-20261121-075500 | released "
    "| [2026-11-21-deploy-20261121-080000](2026-11-21-deploy-20261121-080000.md) |\n"
)
EARLIER = "|2025-10-09|prod|by hand | |released|[by hand](2025-10-09-deploy-phase3.md)|   \n"


def test_this_repository_has_an_index() -> None:
    page = Path(__file__).parents[2] / "docs/deployments/README.md"
    assert page.read_text("utf-8").startswith(PAGE)


def test_an_index_is_begun_where_there_is_none() -> None:
    assert with_row("", RELEASE, NAME) == PAGE + ROW


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_newest_comes_first_and_all_else_stays(end: str) -> None:
    before, after = f"# Ours\nwords  \n\n{TABLE}", f"{EARLIER}\n\nmore words without an end"
    page = with_row((before + after).replace("\n", end), RELEASE, NAME)
    assert page == (before + ROW + after).replace("\n", end)


def test_a_table_is_added_to_a_page_that_has_none() -> None:
    assert with_row("# Ours", RELEASE, NAME) == f"# Ours\n\n{TABLE}{ROW}"


def test_a_table_that_people_have_spaced_is_known() -> None:
    head = (
        "|  started (UTC) |environment| candidate | image tag | outcome | record  |\n|-|-|-|-|-|-|"
    )
    assert with_row(head, RELEASE, NAME) == f"{head}\n{ROW}"


def test_a_release_has_one_row_which_says_how_it_ended() -> None:
    page = with_row(
        with_row(PAGE + EARLIER, RELEASE, NAME), replace(RELEASE, outcome=AS_BEFORE), NAME
    )
    assert page == PAGE + ROW.replace("released", AS_BEFORE, 1) + EARLIER


def test_a_release_without_a_candidate_has_a_row() -> None:
    at = datetime(2026, 12, 1, 9, 5, tzinfo=UTC)
    stopped = replace(RELEASE, candidate="", image_tag="", outcome=AS_BEFORE, started=at)
    assert with_row(PAGE, stopped, "x.md") == (
        f"{PAGE}| 2026-12-01 09:05 | prod | - | - | {AS_BEFORE} | [x](x.md) |\n"
    )
