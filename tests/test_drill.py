"""A drill tells where its candidate was stopped, and leaves the baseline serving."""

import json

import pytest

from greenrun.domain.gate import Gate, Quantity, Threshold
from greenrun.drill import Drill
from greenrun.errors import GateClosed
from greenrun.expectations import read_table
from greenrun.ports import Execution, LogEntry
from greenrun.release import Release
from tests.conftest import BASELINE, FAILING, World

OBJECTIVES = Gate((Threshold("error rate", "at most", Quantity(5, "%")),))


@pytest.fixture
def drill(release: Release, world: World) -> Drill:
    applied = json.dumps({"migrations": [{"name": "1", "state": "applied"}]})
    world.platform.executions = lambda job: Execution("status", succeeded=bool(job.command))
    world.logs.entries["status"] = [LogEntry(world.clock.now(), "DEFAULT", applied)]
    release.build_image()
    return Drill(release, read_table([["request"], ["GET /"]]))


def log(world: World, drill: Drill, severity: str, text: str) -> None:
    """Have the candidate say something as soon as it has a name: at the fake's own moment."""
    name = f"{drill.release.plan.service}-{world.clock.now():%Y%m%d-%H%M%S}"
    world.logs.entries[name].append(LogEntry(world.clock.now(), severity, text))
    world.metrics.answering[name] = FAILING


def test_a_candidate_that_cannot_start_is_stopped_at_its_deployment(
    drill: Drill, world: World
) -> None:
    world.platform.unready.add(drill.release.image.reference)
    drill.run(OBJECTIVES)
    drill.stopped_at("deployment", "is not ready")
    assert world.serving == {BASELINE: 100}


def test_a_silent_candidate_is_stopped_at_its_log(drill: Drill, world: World) -> None:
    drill.run(OBJECTIVES)
    drill.stopped_at("log", "Application startup complete")
    assert world.serving == {BASELINE: 100}


def test_a_candidate_that_logs_errors_is_stopped_at_its_log(drill: Drill, world: World) -> None:
    log(world, drill, "ERROR", "Application startup complete, with a SQL error")
    drill.run(OBJECTIVES)
    drill.stopped_at("log", "got 1 errors")


def test_an_erring_candidate_is_taken_back_from_users(drill: Drill, world: World) -> None:
    log(world, drill, "INFO", "Application startup complete")
    drill.run(OBJECTIVES)
    drill.stopped_at(
        "canary", "rolled back after 400 requests: 60 of 200 candidate requests failed"
    )
    assert world.serving == {BASELINE: 100}
    drill.rolls_back_to_nothing_new()


def test_a_drill_that_nothing_stops_is_a_failure(drill: Drill, world: World) -> None:
    log(world, drill, "INFO", "Application startup complete")
    drill.run()
    with pytest.raises(GateClosed, match="got a release that nothing stopped"):
        drill.stopped_at("deployment", "is not ready")
