"""A feature that a repository does not want is deleted, and everything else goes on without it."""

import json

import jsonschema
import pytest

from greenrun.plugin.terminal.events import SCHEMA
from tests.rehearsal.project import QUICK, Ended, Json, Project

pytestmark = pytest.mark.docker

EVENTS = "--events=reports/events.jsonl"


def events(ended: Ended) -> list[Json]:
    """What the run has told, each line as its schema says."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    lines = (ended.project.reports / "events.jsonl").read_text("utf-8").splitlines()
    told: list[Json] = [json.loads(line) for line in lines]
    for each in told:
        jsonschema.validate(each, schema)
    return told


@pytest.mark.parametrize(
    "feature",
    [
        "03-migration",
        "05-endpoints",
        *(pytest.param(one, marks=pytest.mark.long) for one in ("07-rollback", "08-record")),
    ],
)
def test_a_rehearsal_without_a_feature_is_whole(branch: Project, feature: str) -> None:
    (branch.folder / f"features/{feature}.feature").unlink()
    branch.replace("release.yaml", "latency-floor: 300ms", "latency-floor: 2000ms")  # decided soon

    ended = branch.rehearse(*QUICK, EVENTS)

    assert ended.status == 0, ended.output
    assert "The rehearsal passed" in ended.output
    record, told = ended.record(), events(ended)
    assert (record["outcome"], record["exit_status"]) == ("released", 0)
    assert [one["moment"] for one in told if one["event"] == "release"] == [
        *("began", "promoted", "ended")
    ]
    summary = next(one for one in told if one["event"] == "summary")
    assert record["summary"] == {name: summary[name] for name in record["summary"]}
    assert told[-1]["exit_status"] == 0


def test_a_gate_that_closes_is_told_to_machines_as_to_people(branch: Project) -> None:
    branch.replace(
        "features/05-endpoints.feature", "status = ok         |", "status = well       |"
    )

    ended = branch.rehearse(*QUICK, EVENTS)

    assert ended.status == 1, ended.output
    told = events(ended)
    problems = [one["text"] for one in told if one["event"] == "problem"]
    assert any("status" in text and "well" in text for text in problems)
    record = ended.record()
    assert record["summary"]["headline"].startswith(
        "Not released: stopped at The candidate answers"
    )
    assert not record["summary"]["succeeded"]
