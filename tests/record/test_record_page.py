"""docs/record.md tells every key of the record, and no other."""

import re
from dataclasses import fields
from pathlib import Path

from greenrun.model.alert_status import AlertOutcome
from greenrun.model.results import ScenarioResult
from greenrun.plugin.run.results import NEEDS_PERSON
from greenrun.reporting.record.record import (
    AS_BEFORE,
    PERSON_NEEDED,
    RELEASED,
    Record,
    RecordedPolicy,
    RecordedStep,
)

PAGE = (Path(__file__).parents[2] / "docs/record.md").read_text("utf-8")
TEMPLATE = Path(__file__).parents[2] / "src/greenrun/reporting/record/template.md.j2"
ROWS = dict(re.findall(r"(?m)^\| (`[^|]+`) \| (.+) \|$", PAGE))


def names(text: str) -> list[str]:
    return re.findall(r"`([a-z_]+)`", text)


def test_every_key_is_told_in_the_order_in_which_it_is_written() -> None:
    assert [key for row in ROWS for key in names(row)] == [one.name for one in fields(Record)]


def test_what_stands_in_a_list_is_told() -> None:
    assert set(names(ROWS["`steps`"])) >= {one.name for one in fields(RecordedStep)}
    assert set(names(ROWS["`alert_policies`"])) >= {one.name for one in fields(RecordedPolicy)}
    assert set(names(ROWS["`checks`"])) >= {one.name for one in fields(ScenarioResult)}


def test_every_outcome_is_told() -> None:
    told = re.findall("`([^`]+)`", ROWS["`outcome`"])
    assert told == [RELEASED, AS_BEFORE, PERSON_NEEDED]


def test_what_becomes_of_an_alert_policy_is_told() -> None:
    told = ROWS["`alert_policies`"].replace(" or `and ", " or `edited by somebody, and ")
    assert set(re.findall("`([^`]+)`", told)) >= {outcome.done for outcome in AlertOutcome}


def test_the_call_for_a_person_is_told() -> None:
    assert f"| {NEEDS_PERSON} | production needs a person |" in PAGE


def test_every_block_that_can_be_replaced_is_told() -> None:
    blocks = re.findall(r"{% block (\w+)", TEMPLATE.read_text("utf-8"))
    (told,) = re.findall(r"replace the blocks (.+?)\. ", PAGE.replace("\n", " "))
    assert names(told) == blocks


def test_it_fits_on_one_screen() -> None:
    assert len(PAGE.splitlines()) <= 60
