"""A drill tells where its candidate was stopped, and leaves the baseline serving."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from greenrun.checks.drill import Drill
from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.model.errors import GateClosed
from greenrun.model.image import Source
from greenrun.model.interfaces import Execution, LogEntry
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import Plan
from greenrun.model.revision import ContainerProbe, RevisionSettings, Volume
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.rehearsal import environment
from greenrun.release.rehearsal.environment import Exercise
from greenrun.release.release import Release
from tests.conftest import BASELINE, FAILING, World

HEALTHY_START = ("Application startup complete",)
OBJECTIVES = Gate((Threshold("error rate", "at most", Quantity(5, "%")),))


@pytest.fixture
def drill(release: Release, world: World) -> Drill:
    applied = json.dumps({"migrations": [{"name": "1", "state": "applied"}]})
    world.platform.executions = lambda job: Execution("status", succeeded=bool(job.command))
    world.logs.entries["status"] = [LogEntry(world.clock.now(), "DEFAULT", applied)]
    release.build_image()
    return Drill(release, ENDPOINTS.read([["request"], ["GET /"]]), HEALTHY_START)


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


def test_without_migrations_the_candidate_comes_next(
    plan: Plan, world: World, guard: ChangeGuard, tmp_path: Path
) -> None:
    without = replace(plan, migration=None)
    user = {"a user": {"authorization": "Bearer x"}}
    release = Release(without, world.dependencies, guard, user, Source(tmp_path, "c0ffee"))
    release.build_image()
    drill = Drill(release, ENDPOINTS.read([["request"], ["GET /"]]), HEALTHY_START)
    drill.run(OBJECTIVES)
    drill.stopped_at("log", "Application startup complete")
    assert "run job" not in {entry.action for entry in guard.journal.entries()}


@pytest.fixture
def stored(plan: Plan) -> Plan:
    volume = Volume(source="nfs:10.0.0.2:/shop", path="/data")
    return replace(plan, settings=replace(plan.settings, volumes={"data": volume}))


def test_both_sides_of_a_drill_differ_in_their_variables_alone(stored: Plan) -> None:
    exercise = Exercise({"FAULTS": "slower"}, was={"FAULTS": "slow"})
    before, after = environment.drill_plan(stored, 3, exercise)
    was = before.settings.over(RevisionSettings())
    made = after.settings.over(was)
    assert was.variables == {"LOG_LEVEL": "INFO", "FAULTS": "slow"}
    assert made.variables == {"LOG_LEVEL": "INFO", "FAULTS": "slower"}
    assert replace(made, variables=was.variables) == was
    assert replace(after, settings=before.settings) == before


def test_a_drill_takes_away_what_was_and_is_not_any_more(stored: Plan) -> None:
    before, after = environment.drill_plan(stored, 3, Exercise(was={"FAULTS": "slow"}))
    was = before.settings.over(RevisionSettings())
    assert after.settings.lost(was) == ()
    assert after.settings.over(was).variables == {"LOG_LEVEL": "INFO"}
    assert before.service == "shop-drill-3"
    assert before.canary.steps == (10,)


def test_drills_share_storage_that_none_of_them_migrates(stored: Plan) -> None:
    shared = environment.shared_by_drills(stored)
    drills = [environment.drill_plan(stored, number, Exercise()) for number in (1, 2)]
    assert all(plan.settings.volumes == shared.settings.volumes for pair in drills for plan in pair)
    assert {plan.migration for pair in drills for plan in pair} == {None}
    assert shared.migration == stored.migration


def test_a_drill_that_migrates_has_storage_of_its_own(stored: Plan) -> None:
    one, _ = environment.drill_plan(stored, 1, Exercise(migrates=True))
    two, _ = environment.drill_plan(stored, 2, Exercise(migrates=True))
    others = (stored, environment.shared_by_drills(stored))
    assert len({str(each.settings.volumes) for each in (one, two, *others)}) == 4
    assert one.migration == two.migration == stored.migration


def test_only_the_candidate_of_a_drill_may_have_little_time_to_start(stored: Plan) -> None:
    exercise = Exercise(starts_within=timedelta(seconds=3))
    before, after = environment.drill_plan(stored, 1, exercise)
    probe = after.settings.startup_probe
    assert probe == ContainerProbe(period=timedelta(seconds=1), failure_threshold=3)
    assert before.settings.startup_probe == stored.settings.startup_probe
