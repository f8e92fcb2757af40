"""What a release leaves behind is what it has done, whatever came of it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from greenrun.model.alert_status import AlertOutcome, AlertStatus
from greenrun.model.errors import (
    CallFailed,
    GateClosed,
    ManualActionRequired,
    ReleaseError,
    SettingsError,
)
from greenrun.model.image import Checkout, Source
from greenrun.model.interfaces.alerting import Policy, PolicyDifference
from greenrun.model.monitoring import Alert
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import IDENTITY_TOKEN, Plan, RecordPlan
from greenrun.model.results import ScenarioResult
from greenrun.release.prober import Prober
from greenrun.release.release import Release
from greenrun.reporting import record
from greenrun.reporting.record import Record
from greenrun.reporting.record.record import AS_BEFORE, PERSON_NEEDED, RELEASED
from tests.conftest import BASELINE, HEALTHY, World
from tests.fakes import IMAGE_ID, MANIFEST, URL, FakeSourceControl

RESULTS = (
    ScenarioResult("prod", "Canary", "It is built", "passed", 2.0),
    ScenarioResult("prod", "Canary", "It serves", "failed", 3.0, "got hunter2"),
)
OBJECTIVES = Gate((Threshold("error rate", "at most", Quantity(5, "%")),))
DOCUMENT = "docs/deployments/2026-11-21-deploy-20261121-080000.md"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "reports"


@pytest.fixture
def real(release: Release, plan: Plan, world: World, tmp_path: Path) -> Release:
    """A release that is no rehearsal, claimed, of a commit that the tree is at."""
    release.plan = replace(plan, environment="prod")
    release.source = Source(tmp_path, world.source_control.state.commit)
    release.acquire_lock()
    return release


class SilentGit(FakeSourceControl):
    """A git that refuses everything."""

    def checkout(self) -> Checkout:
        raise CallFailed("could not read the commit")


def redact(text: str) -> str:
    return text.replace("hunter2", "********")


def write(
    release: Release, reports: Path, results: Sequence[ScenarioResult] = RESULTS
) -> dict[str, Any]:
    """What machines read once the record was written."""
    record.write(release, reports, results, redact)
    return told(reports)


def told(reports: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((reports / "release.json").read_text("utf-8"))
    return facts


def deploy(release: Release) -> None:
    release.find_baseline()
    release.build_image()
    release.deploy()


@pytest.fixture
def new(real: Release, world: World) -> Release:
    """A first release that is about to let users in."""
    world.platform.state = None
    world.platform.revisions_by_name.clear()
    real.prober = Prober(real.dependencies, {"a user": {}, IDENTITY_TOKEN: {}})
    deploy(real)
    return real


def test_a_first_release_has_no_baseline_and_is_whole_without_one(
    new: Release, reports: Path
) -> None:
    new.promote()
    facts = write(new, reports)
    Record.from_json((reports / "release.json").read_text("utf-8")).is_complete()
    expected = {
        "outcome": RELEASED,
        "baseline": "",
        "promise": "delete the service",
        "steps": [],
        "roll_back": "pytest features/07-rollback.feature --env=prod --delete-candidate",
        "rollback": "gcloud run services delete shop --project=rehearsal --region=europe-west1",
    }
    assert {key: facts[key] for key in expected} == expected
    page = (reports / "release.md").read_text("utf-8")
    for line in (
        "| baseline | none: first release |",
        "No canary: first release, nobody to compare with.",
        "- When a gate closes: delete the service.",
    ):
        assert line in page


def test_a_first_release_that_was_taken_back_has_left_nothing(new: Release, reports: Path) -> None:
    new.roll_back()
    facts = write(new, reports)
    expected = {
        "outcome": AS_BEFORE,
        "next": "Nothing of it is left: fix what is named as a problem, then release again.",
        "traffic": "none: there is no service",
        "rollback": "",
    }
    assert {key: facts[key] for key in expected} == expected


def test_a_first_release_that_could_not_be_deleted_needs_a_person(
    new: Release, world: World, reports: Path
) -> None:
    world.platform.refuses.add("remove_service")
    with pytest.raises(ManualActionRequired):
        new.roll_back()
    assert write(new, reports)["outcome"] == PERSON_NEEDED


def test_a_released_candidate_is_told_whole(real: Release, world: World, reports: Path) -> None:
    deploy(real)
    world.metrics.answering[real.candidate.name] = HEALTHY
    real.run_canary(OBJECTIVES)
    real.promote()
    world.clock.sleep(timedelta(seconds=3))
    facts = write(real, reports)
    Record.from_json((reports / "release.json").read_text("utf-8")).is_complete()
    expected = {
        "run": "the-run",
        "outcome": RELEASED,
        "exit_status": None,
        "project": "rehearsal",
        "url": URL,
        "started": "2026-11-21T08:00:00Z",
        "ended": "2026-11-21T08:00:05Z",
        "seconds": 5.0,
        "commit": world.source_control.state.commit,
        "branch": "main",
        "subjects": ["Add the shop"],
        "image_id": str(IMAGE_ID),
        "baseline": BASELINE,
        "candidate": "shop-20261121-080000",
        "lease": 1,
        "promise": "roll back",
        "journal": "journal.jsonl",
        "document": DOCUMENT,
        "problems": ["prod: Canary: It serves: got ********"],
        "roll_back": "pytest features/07-rollback.feature --env=prod",
    }
    assert {key: facts[key] for key in expected} == expected
    assert f"--to-revisions={BASELINE}=100" in str(facts["rollback"])
    assert str(facts["traffic"]).startswith("100 % shop-20261121-080000")
    assert [(one["share"], one["verdict"]) for one in facts["steps"]] == [
        (10, "pass"),
        (50, "pass"),
    ]
    (counted,) = facts["steps"][0]["counted"]
    assert counted["by"] == "the platform's metrics"
    assert counted["candidate"]["error rate"] == {"value": 0.5, "unit": "%"}
    assert "| candidate | shop-20261121-080000" in str(world.evidence.kept["record"])
    assert json.loads(world.evidence.kept["record for machines"]) == facts


def test_memory_is_told_where_it_was_judged(real: Release, world: World, reports: Path) -> None:
    deploy(real)
    world.metrics.answering[real.candidate.name] = HEALTHY
    world.metrics.using |= {real.candidate.name: 44.0}
    real.run_canary(Gate((Threshold("memory", "at most", Quantity(90, "%")),)))
    (counted,) = write(real, reports)["steps"][0]["counted"]
    assert counted["candidate"]["memory"] == {"value": 44.0, "unit": "%"}
    assert counted["baseline"]["memory"] is None


def test_what_became_of_the_alert_policies_is_told(
    real: Release, world: World, reports: Path
) -> None:
    assert write(real, reports)["alert_policies"] == []
    errors = Alert(OBJECTIVES.thresholds[0], timedelta(minutes=5))
    edit = PolicyDifference("enabled", "false", "true hunter2")
    edited = AlertStatus(
        errors, AlertOutcome.EDITED, Policy("policies/1", (edit,), ("their mail",))
    )
    real.alert_policies = (AlertStatus(errors, AlertOutcome.CREATED), edited)
    alert = "error rate over 5 % for 5 min"
    left = "edited by somebody, and left so"
    difference = "enabled: got false, needs true ********"
    assert write(real, reports)["alert_policies"] == [
        {"alert": alert, "outcome": "created", "differences": []},
        {"alert": alert, "outcome": left, "differences": [difference]},
    ]
    told = f"| alert policies | {alert}: created<br>{alert}: {left}; {difference} |"
    assert told in str(world.evidence.kept["record"])


def test_what_was_pushed_is_told_by_the_registrys_digest(real: Release, reports: Path) -> None:
    real.find_baseline()
    real.build_image()
    assert not write(real, reports)["pushed"]
    pushed = real.push_image()
    facts = write(real, reports)
    assert (facts["pushed"], facts["manifest"]) == (True, str(pushed.manifest))
    assert facts["image"] == f"registry.test/shop@{pushed.manifest}"


def test_what_was_built_elsewhere_was_pushed_by_somebody_else(
    real: Release, reports: Path, world: World
) -> None:
    image = f"registry.test/shop@{MANIFEST}"
    real.plan = replace(real.plan, build=replace(real.plan.build, image=image))
    world.registry.ids[MANIFEST] = IMAGE_ID
    real.build_image()
    real.push_image()
    facts = write(real, reports)
    assert (facts["pushed"], facts["image"], facts["image_tag"]) == (False, image, "")


def test_a_release_that_was_stopped_early_has_its_record(real: Release, reports: Path) -> None:
    facts = write(real, reports)
    assert (facts["outcome"], facts["baseline"], facts["rollback"]) == (AS_BEFORE, "", "")
    assert facts["document"] == "docs/deployments/2026-11-21-deploy-080000.md"
    Record.from_json((reports / "release.json").read_text("utf-8")).is_complete()


def test_a_release_that_was_taken_back_says_so(real: Release, reports: Path) -> None:
    deploy(real)
    real.raise_share(10)
    assert write(real, reports)["outcome"] == PERSON_NEEDED
    real.roll_back()
    assert write(real, reports)["outcome"] == AS_BEFORE


def test_where_nobody_answers_the_record_says_so(
    real: Release, world: World, reports: Path
) -> None:
    deploy(real)
    real.raise_share(10)
    world.platform.state = None
    real.dependencies = replace(real.dependencies, source_control=SilentGit())
    facts = write(real, reports)
    assert (facts["branch"], facts["subjects"]) == ("", [])
    assert facts["traffic"] == "unknown: the platform did not answer"
    assert (facts["outcome"], facts["url"]) == (PERSON_NEEDED, URL)
    assert "--to=REVISION" in str(facts["next"])


def test_the_lease_of_somebody_else_is_not_recorded_as_ours(
    release: Release, world: World, reports: Path
) -> None:
    release.acquire_lock()
    (ours,) = world.leases.all()
    owner = replace(ours.owner, run="another")
    world.leases.create(replace(ours, number=2, owner=owner))
    assert write(release, reports)["lease"] is None


def test_a_rehearsal_leaves_its_record_beside_the_report_alone(
    release: Release, reports: Path, tmp_path: Path
) -> None:
    facts = write(release, reports)
    assert facts["document"] == ""
    assert not (tmp_path / "docs").exists()


def test_the_end_of_the_run_rewrites_and_adds_nothing(
    real: Release, reports: Path, tmp_path: Path
) -> None:
    deploy(real)
    real.raise_share(10)
    record.write(real, reports, RESULTS, redact)
    real.roll_back()
    written = record.save(real, reports, RESULTS, redact)
    record.is_kept(real, written)
    kept = sorted(path.name for path in (tmp_path / "docs/deployments").iterdir())
    assert kept == ["2026-11-21-deploy-20261121-080000.md", "README.md"]
    assert f"**{AS_BEFORE.capitalize()}.**" in (tmp_path / DOCUMENT).read_text("utf-8")
    index = (tmp_path / "docs/deployments/README.md").read_text("utf-8")
    assert index.count("](2026-11-21-deploy-20261121-080000.md) |") == 1


def test_a_record_is_committed_at_the_end_with_its_files_and_no_other(
    real: Release, world: World, reports: Path, tmp_path: Path
) -> None:
    real.plan = replace(real.plan, record=RecordPlan(changelogs=("SYNC.md",), commit=True))
    deploy(real)
    record.write(real, reports, RESULTS, redact)
    record.save(real, reports, RESULTS, redact)
    assert not world.source_control.committed
    assert record.finish(real, reports, 0) == ""
    assert "| exit status | 0 |\n" in (tmp_path / DOCUMENT).read_text("utf-8")
    files = (DOCUMENT, "docs/deployments/README.md", "SYNC.md")
    message = "Record the release of shop to prod: shop-20261121-080000"
    assert world.source_control.committed == [(tuple(tmp_path / name for name in files), message)]


def test_nothing_is_committed_where_nobody_asked_for_it(
    real: Release, world: World, reports: Path
) -> None:
    record.save(real, reports, RESULTS, redact)
    record.finish(real, reports, 0)
    assert not world.source_control.committed


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_a_template_that_cannot_be_filled_stops_no_twin(
    real: Release, reports: Path, tmp_path: Path, environment: str
) -> None:
    (tmp_path / "mine.j2").write_text("{{ nothing }}")
    real.plan = replace(real.plan, environment=environment, record=RecordPlan(template="mine.j2"))
    with pytest.raises(SettingsError, match=r"mine\.j2:1: record\.template: .*is undefined"):
        record.write(real, reports, RESULTS, redact)
    assert told(reports)["outcome"] == AS_BEFORE
    assert not (tmp_path / "docs").exists()


def test_the_exit_status_stands_in_both_twins(release: Release, reports: Path) -> None:
    facts = write(release, reports)
    record.finish(release, reports, 10)
    assert told(reports) == {**facts, "exit_status": 10}
    assert "| exit status | 10 |\n" in (reports / "release.md").read_text("utf-8")


def test_a_commit_that_git_refuses_is_told_and_the_rest_stands(
    real: Release, world: World, reports: Path, tmp_path: Path
) -> None:
    real.plan = replace(real.plan, record=RecordPlan(commit=True))
    git: Any = Broken(world.source_control, "commit", RuntimeError)
    real.dependencies = replace(real.dependencies, source_control=git)
    deploy(real)
    record.save(real, reports, RESULTS, redact)
    told_of = record.finish(real, reports, 0)
    assert told_of == f"could not add exit status 0 to {reports}/release.json: broken"
    assert "| exit status | 0 |\n" in (tmp_path / DOCUMENT).read_text("utf-8")


def test_what_stood_in_nobodys_way_is_a_problem_of_the_record(
    release: Release, reports: Path
) -> None:
    def fails() -> None:
        raise OSError("no space left")

    release.guard.attempt("draw the canary", fails)
    *_, last = write(release, reports)["problems"]
    assert last == "could not draw the canary: OSError: no space left"


def test_a_run_that_released_nothing_has_no_record_to_finish(
    release: Release, reports: Path
) -> None:
    record.finish(release, reports, 0)
    assert not reports.exists()


def test_the_record_of_an_earlier_release_is_taken_away(release: Release, reports: Path) -> None:
    write(release, reports)
    record.discard(reports)
    record.discard(reports)
    assert list(reports.iterdir()) == []


def test_a_record_that_lacks_facts_is_not_complete(real: Release, reports: Path) -> None:
    deploy(real)
    real.promote()
    written = record.write(real, reports, (), redact)
    with pytest.raises(GateClosed, match="the record of shop: got no checks, needs each"):
        written.is_complete()


def test_what_can_be_written_is_written_and_the_rest_is_told_once(
    real: Release, reports: Path, tmp_path: Path
) -> None:
    deploy(real)
    (reports / "release.json").mkdir(parents=True)
    with pytest.raises(ReleaseError) as raised:
        record.save(real, reports, RESULTS, redact)
    assert str(raised.value).startswith(
        "the record is not whole: could not write it into reports/: the record is not whole: "
        "could not write release.json: [Errno 21] Is a directory"
    )
    assert "shop-20261121-080000" in (reports / "release.md").read_text("utf-8")
    assert "shop-20261121-080000" in (tmp_path / DOCUMENT).read_text("utf-8")


@pytest.mark.parametrize("kind", [OSError, MemoryError, UnicodeError, RuntimeError])
@pytest.mark.parametrize("broken", ["platform.service", "source_control.checkout"])
def test_somebody_who_breaks_takes_only_his_own_facts_with_him(
    real: Release, reports: Path, broken: str, kind: type[Exception]
) -> None:
    deploy(real)
    role, method = broken.split(".")
    roles: dict[str, Any] = {role: Broken(getattr(real.dependencies, role), method, kind)}
    real.dependencies = replace(real.dependencies, **roles)
    facts = write(real, reports)
    assert (facts["candidate"], facts["baseline"]) == ("shop-20261121-080000", BASELINE)


class Broken:
    """A role of which one method raises; all others are as they were."""

    def __init__(self, role: object, method: str, kind: type[Exception]) -> None:
        self._role, self._method, self._kind = role, method, kind

    def __getattr__(self, name: str) -> object:
        if name == self._method:
            raise self._kind("broken")
        return getattr(self._role, name)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run": 1}', "\\ud800", "\x00" * 9])
def test_a_record_that_cannot_be_read_is_left_and_told_in_a_line(
    release: Release, reports: Path, content: str
) -> None:
    reports.mkdir()
    (reports / "release.json").write_text(content)
    problem = record.finish(release, reports, 1)
    assert problem.startswith(f"could not add exit status 1 to {reports}/release.json: ")
    assert "\n" not in problem
    assert (reports / "release.json").read_text() == content


def test_a_record_of_no_encoding_is_left_and_told(release: Release, reports: Path) -> None:
    reports.mkdir()
    (reports / "release.json").write_bytes(b"\xff\xfe{")
    assert "could not add exit status 1" in record.finish(release, reports, 1)
