"""Somebody breaks the service: the release stops, says why, and users are served as before."""

import re
from collections.abc import Callable
from pathlib import Path

import docker
import pytest

from tests.rehearsal import remains
from tests.rehearsal.project import QUICK, ROOT, Ended, Json, Project

pytestmark = pytest.mark.docker

SUMMARY = "GET /api/dashboard/costs/summary as a user"
SUMMED_UP = "    rows = service.settings.database.rows\n    return {part"

Stop = Callable[[Project], Json]


@pytest.fixture
def stop(green: Ended, engine: docker.DockerClient) -> Stop:
    """The scenario that stops a rehearsal, which ends like every one that was stopped."""

    def rehearse(project: Project) -> Json:
        ended = project.rehearse(*QUICK)
        assert ended.status == 1, ended.output
        served_as_before(ended, green.record()["candidate"])
        told_once(ended)
        remains.await_nothing_of(engine, ended.cloud)
        return {**ended.stopped(), "evidence": ended.evidence(ended.stopped())}

    return rehearse


def served_as_before(ended: Ended, baseline: str) -> None:
    record = ended.record()
    assert record["outcome"] == "not released, users served as before"
    assert record["baseline"] == baseline
    assert record["traffic"].startswith(f"100 % {baseline}")
    rollback = ended.result("A closed gate sends every user back to the baseline")
    assert rollback["status"] == "passed"


def told_once(ended: Ended) -> None:
    """Below its sentence the terminal tells what the report does; at its end, what to do next."""
    stopped = ended.stopped()
    message = str(stopped["statusDetails"]["message"])
    told = " ".join(ended.output.split())
    what, _, hint = message.partition("\nhint: ")
    assert told.count(" ".join(what.split())) == 1
    assert f"next {' '.join(hint.split())}" in told
    assert f"Not released: stopped at {feature(stopped)}: {stopped['name']}" in told


def feature(result: Json) -> str:
    return next(str(each["value"]) for each in result["labels"] if each["name"] == "feature")


def test_an_endpoint_that_fails(branch: Project, stop: Stop, green: Ended) -> None:
    branch.replace("app/dashboard.py", SUMMED_UP, f"    raise RuntimeError\n{SUMMED_UP}")
    stopped = stop(branch)
    assert (stopped["name"], stopped["status"]) == (
        *("Every endpoint answers, and soon enough",),
        "failed",
    )
    assert re.match(
        f"{SUMMARY}: got status 500.*, needs 200\n", stopped["statusDetails"]["message"]
    )
    (log,) = (text for name, text in stopped["evidence"].items() if name.startswith("log of"))
    assert "raise RuntimeError" in log
    assert green.record()["candidate"] not in log


def test_an_endpoint_that_is_slow(branch: Project, stop: Stop) -> None:
    pause = "    __import__('time').sleep(0.6)\n"
    branch.replace("app/dashboard.py", SUMMED_UP, pause + SUMMED_UP)
    stopped = stop(branch)
    assert (stopped["name"], stopped["status"]) == (
        *("Every endpoint answers, and soon enough",),
        "failed",
    )
    got = f"{SUMMARY}: got p95 \\d+ ms of 20 requests after 1 warm-up"
    needs = f"{got}, needs at most 500 ms\nhint: "
    assert re.match(needs, stopped["statusDetails"]["message"])


def test_a_server_that_listens_elsewhere(branch: Project, stop: Stop) -> None:
    branch.replace("Dockerfile", 'CMD ["', 'CMD ["env", "PORT=9999", "')
    stopped = stop(branch)
    assert (stopped["name"], stopped["status"]) == (
        *("The candidate starts without traffic",),
        "failed",
    )
    message = stopped["statusDetails"]["message"]
    assert "The user-provided container failed the configured startup probe checks." in message
    assert "Uvicorn running on http://0.0.0.0:9999" in message
    assert "Application startup complete" in stopped["evidence"]["log of the candidate"]


def test_a_service_that_never_started(
    repository: str, tmp_path: Path, engine: docker.DockerClient
) -> None:
    project = Project.new(tmp_path / "new", repository)
    project.replace("release.yaml", "failure-threshold: 10}", "failure-threshold: 3}")
    project.replace("Dockerfile", 'CMD ["', 'CMD ["env", "PORT=9999", "')
    ended = project.rehearse(*QUICK)
    assert ended.status == 1, ended.output
    assert ended.output.count("HEALTH_CHECK_CONTAINER_ERROR") == 1
    assert "Uvicorn running on http://0.0.0.0:9999" in ended.output
    remains.await_nothing_of(engine, ended.cloud)


def test_a_migration_that_says_that_it_contracts_is_not_applied(
    branch: Project, stop: Stop
) -> None:
    drop = ROOT / "app/drills/contracting/20261101_drop_usd.sql"
    (branch.folder / "app/migrations" / drop.name).write_bytes(drop.read_bytes())
    stopped = stop(branch)
    assert stopped["name"] == "Pending migrations are applied before any traffic moves"
    message = stopped["statusDetails"]["message"]
    assert "contracts by 20261101_drop_usd" in message
    assert "nothing was applied" in message


def test_a_migration_that_hides_that_it_contracts(branch: Project, stop: Stop) -> None:
    drop = ROOT / "app/drills/contracting/20261101_drop_usd.sql"
    lines = drop.read_text("utf-8").splitlines(keepends=True)
    silent = "".join(line for line in lines if not line.startswith("-- contracts"))
    (branch.folder / "app/migrations" / drop.name).write_text(silent, "utf-8")
    branch.replace("release.yaml", "  check: [python, -m, app.migrate, check]\n", "")
    branch.replace(
        "features/03-migration.feature", "    And the data pass the image's own check\n", ""
    )
    stopped = stop(branch)
    assert stopped["name"] == "The baseline still works on the migrated schema"
    message = stopped["statusDetails"]["message"]
    assert f"{SUMMARY}: got status 500, needs 200\n" in message
    assert "no such column: usd" in message


def test_what_was_promoted_and_taken_back_is_no_baseline(
    branch: Project, stop: Stop, green: Ended
) -> None:
    branch.replace("features/06-canary.feature", "status = ok       ", "status = unheard-of")
    stopped = stop(branch)
    assert stopped["name"] == "The candidate is promoted"
    assert 'status = unheard-of: got "ok"' in stopped["statusDetails"]["message"]

    after = branch.begin()
    assert f"baseline: {green.record()['candidate']}" in after.output
