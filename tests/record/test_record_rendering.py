"""A record reads as agreed, in greenrun's words or in those of the repository."""

from dataclasses import replace
from pathlib import Path

import pytest

from greenrun.model.errors import Complaint, SettingsError
from greenrun.reporting.record import rendering
from greenrun.reporting.record.record import AS_BEFORE, PERSON_NEEDED, Record
from tests.record.samples import RELEASE, STOPPED

GOLDEN = Path(__file__).parent / "golden"
DOCUMENT = "docs/deployments/2026-11-21-deploy-20261121-080000.md"
FAILED = (
    "rolled back after 412 requests: 11 of 41 candidate requests failed, "
    "2 of 371 baseline requests, by the platform's metrics"
)
NEEDS = "a jinja2 template over what docs/record.md lists"

FROZEN = replace(
    RELEASE,
    outcome=PERSON_NEEDED,
    exit_status=10,
    next="Mend the candidate and release again: the baseline cannot bear the new schema.",
    contracted=True,
    promise="freeze",
)


TAKEN_BACK = replace(
    RELEASE,
    outcome=AS_BEFORE,
    exit_status=1,
    next="Fix what is named as a problem, then release again.",
    traffic="100 % shop-20261120-101500",
    steps=(
        *RELEASE.steps,
        replace(RELEASE.steps[0], share=50, verdict="fail", judged=FAILED, seconds=11.2),
    ),
    problems=(f"prod: Users move a share at a time: The candidate proves itself: {FAILED}",),
)


def golden(name: str) -> str:
    return (GOLDEN / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (RELEASE, "released.md"),
        (STOPPED, "stopped.md"),
        (FROZEN, "frozen.md"),
        (TAKEN_BACK, "taken-back.md"),
    ],
)
def test_people_read(record: Record, name: str) -> None:
    assert rendering.as_markdown(record) == golden(name)


def test_successors_read() -> None:
    link = f"[{Path(DOCUMENT).stem}]({DOCUMENT})"
    assert rendering.as_entry(RELEASE, link) == golden("entry.md")


def test_machines_read() -> None:
    assert RELEASE.as_json() == golden("released.json")


@pytest.mark.parametrize("record", [RELEASE, STOPPED, FROZEN, TAKEN_BACK])
def test_what_machines_read_is_the_whole_record(record: Record) -> None:
    assert Record.from_json(record.as_json()) == record


def test_no_other_json_is_a_record() -> None:
    with pytest.raises(ValueError, match="validation errors for Record"):
        Record.from_json('{"run": 1}')


def test_secrets_are_nowhere_in_it() -> None:
    leaky = replace(
        RELEASE,
        subjects=("Use hunter2",),
        checks=(replace(RELEASE.checks[0], ending="failed", reason="got hunter2"),),
        problems=("hunter2",),
        steps=(replace(RELEASE.steps[0], judged="hunter2"),),
    )
    told = leaky.redacted(lambda text: text.replace("hunter2", "****"))
    assert "hunter2" not in told.as_json() + rendering.as_markdown(told)
    assert (told.subjects, told.problems) == (("Use ****",), ("****",))
    assert (told.checks[0].reason, told.steps[0].judged) == ("got ****", "****")
    assert RELEASE.redacted(lambda text: text) == RELEASE


def test_a_template_of_the_repository_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.j2").write_text("{{ record.candidate }} at {{ record.started | when }}\n")
    told = rendering.by_template(RELEASE, tmp_path, "mine.j2")
    assert told == "shop-20261121-080000 at 2026-11-21 08:00:00 UTC\n"


def test_a_template_of_the_repository_may_replace_a_block_of_ours(tmp_path: Path) -> None:
    template = (
        '{% extends "greenrun/template.md.j2" %}{% block checks %}All was well.\n{% endblock %}'
    )
    (tmp_path / "mine.j2").write_text(template)
    told = rendering.by_template(RELEASE, tmp_path, "mine.j2")
    assert "All was well.\n" in told
    assert "## Checks" not in told
    assert "| address | https://shop-abc-ew.a.run.app |" in told


@pytest.mark.parametrize(
    ("template", "line", "got"),
    [
        ("one\n{{ record.candidat }}\n", 2, "Record object' has no attribute 'candidat'"),
        ("one\n\n{{ reccord }}\n", 3, "UndefinedError: 'reccord' is undefined"),
        ("one\n{% if %}\n", 2, "TemplateSyntaxError: Expected an expression"),
        ("{{ 1 // 0 }}", 1, "ZeroDivisionError"),
        ("{{ record.run | nonsense }}", 1, "No filter named 'nonsense'"),
        ("{% include 'other.j2' %}", 1, "no file other.j2"),
    ],
)
def test_a_template_that_cannot_be_filled_is_blamed_by_its_line(
    tmp_path: Path, template: str, line: int, got: str
) -> None:
    (tmp_path / "mine.j2").write_text(template)
    complaint = blamed(tmp_path)
    assert got in complaint.got
    assert complaint == Complaint("mine.j2", line, "record.template", complaint.got, NEEDS)


def test_a_template_that_is_included_is_blamed_itself(tmp_path: Path) -> None:
    (tmp_path / "mine.j2").write_text("{% include 'parts/list.j2' %}")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/list.j2").write_text("\n\n{{ record.nothing }}")
    assert (blamed(tmp_path).file, blamed(tmp_path).line) == ("parts/list.j2", 3)


def test_a_template_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert blamed(tmp_path) == Complaint("mine.j2", 0, "record.template", "no file mine.j2", NEEDS)


def blamed(directory: Path) -> Complaint:
    with pytest.raises(SettingsError) as raised:
        rendering.by_template(RELEASE, directory, "mine.j2")
    (complaint,) = raised.value.complaints
    return complaint
