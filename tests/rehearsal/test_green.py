"""A rehearsal of a healthy service, and the one right after it."""

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from greenrun.plugin.gherkin import feature_parser
from tests.rehearsal import remains
from tests.rehearsal.project import QUICK, Ended, Json

pytestmark = pytest.mark.docker

EVIDENCE = {
    "When the service is read as it serves now": {"service before the release"},
    "When the image is built": {"build log", "image inspection"},
    "When the migrations of the image are applied": {"migrations before"},
    "Then the baseline answers": {"table", "requests and answers"},
    "Then the candidate runs the image of this release": {"candidate as it runs"},
    "And the candidate has every setting that release.yaml names": {"settings compared"},
    "Then the candidate's log has the lines": {"table", "log of the candidate"},
    "Then the candidate answers": {"table", "requests and answers"},
    "When the candidate's share rises by its steps": {
        *("traffic at 10 %", "canary at 10 %"),
        *("traffic at 50 %", "canary at 50 %"),
    },
    "When the candidate is promoted": {"traffic at 100 %"},
    "When the record is written": {"record", "record for machines"},
}
"""What must be found below these sentences, at least."""


@pytest.fixture(scope="module")
def again(green: Ended, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A second rehearsal, right after the first."""
    project = green.project.branch(tmp_path_factory.mktemp("again") / "green")
    project.raise_at_once()
    return project.rehearse(*QUICK)


def test_it_goes_through(green: Ended) -> None:
    assert green.status == 0, green.output
    assert {result["status"] for result in green.results()} == {"passed", "skipped"}


def test_its_record_tells_what_was_released(green: Ended) -> None:
    record, changes = green.record(), green.changes()
    promoted = next(change for change in changes if change["action"] == "promoted")
    created = next(change for change in changes if change["action"] == "create")
    assert (record["outcome"], record["candidate"]) == ("released", promoted["subject"])
    assert record["image"] == promoted["facts"]["image"]
    assert record["baseline"] == created["facts"]["revision"]
    assert record["traffic"].startswith(f"100 % {record['candidate']}")
    assert f"--to-revisions={record['baseline']}=100" in record["rollback"]


def test_its_results_read_as_its_features_do(green: Ended) -> None:
    told = [
        (label(result, "feature"), result["name"], [step["name"] for step in result["steps"]])
        for result in green.results()
    ]
    assert sorted(told) == sorted(written(green.project.folder / "features"))


def test_its_evidence_is_below_the_sentence_that_made_it(green: Ended) -> None:
    found: dict[str, set[str]] = {}
    for step in (step for result in green.results() for step in result["steps"]):
        names = {attachment["name"] for attachment in step.get("attachments", ())}
        found[step["name"]] = found.get(step["name"], set()) | names
    missing = {sentence: names - found[sentence] for sentence, names in EVIDENCE.items()}
    assert not any(missing.values()), missing
    assert all(all(green.evidence(result).values()) for result in green.results())


def test_its_report_is_headed_by_facts_and_free_of_fixtures(green: Ended) -> None:
    folder, record = green.project.reports / "allure-results", green.record()
    head = (folder / "environment.properties").read_text("utf-8").replace("\\", "")
    for line in (
        "service = emergence-app",
        f"candidate = {record['candidate']}",
        f"baseline = {record['baseline']}",
        f"rehearsed image id = {record['image'].partition('@')[2]}",
    ):
        assert line in head.splitlines()
    assert not list(folder.glob("*-container.json"))


def test_the_next_one_begins_with_what_it_promoted(green: Ended, again: Ended) -> None:
    assert again.status == 0, again.output
    (promoted,) = (one for one in green.changes() if one["action"] == "promoted")
    created = again.changes()[0]["facts"]
    assert again.record()["baseline"] == promoted["subject"] == created["revision"]
    assert created["image"] == promoted["facts"]["image"]
    assert f"baseline: {promoted['subject']}" in again.output


@pytest.mark.parametrize("run", ["green", "again"])
def test_nothing_remains(
    run: str, request: pytest.FixtureRequest, engine: docker.DockerClient
) -> None:
    ended: Ended = request.getfixturevalue(run)
    remains.await_nothing_of(engine, ended.cloud)


ELSEWHERE = {"drill", "cloud", "delete-candidate", "scale-to-zero"}
"""Tags of what is not among a release's own scenarios on this machine."""


def label(result: Json, name: str) -> str:
    (value,) = (label["value"] for label in result["labels"] if label["name"] == name)
    return str(value)


def written(features: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Feature, scenario and sentences as people wrote them, of what a rehearsal performs."""
    for file in features.glob("*.feature"):
        text = feature_parser.read(file, file.name)
        for reading in feature_parser.readings(text):
            if not reading.tags & ELSEWHERE:
                steps = [f"{step.keyword} {step.name}" for step in reading.scenario.steps]
                yield text.feature.name, reading.scenario.name, steps
