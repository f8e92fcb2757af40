"""Sentences about drills: candidates that must be stopped."""

from datetime import timedelta

from pytest_bdd import given, parsers, then, when

from greenrun.checks import service
from greenrun.checks.drill import Drill
from greenrun.model.objective import Gate
from greenrun.release.rehearsal.environment import Exercise
from greenrun.steps.wiring.drills import Drills


@given(parsers.parse('a candidate with the fault "{faults}"'), target_fixture="drill")
def _(drills: Drills, faults: str) -> Drill:
    return drills.prepare(Exercise({"FAULTS": faults}))


@given(
    parsers.parse('a candidate with the fault "{faults}", and {seconds:d} s to start'),
    target_fixture="drill",
)
def _(drills: Drills, faults: str, seconds: int) -> Drill:
    within = timedelta(seconds=seconds)
    return drills.prepare(Exercise({"FAULTS": faults}, starts_within=within))


@given(
    parsers.parse('a candidate that makes "{path}" take {after:d} ms, where it took {before:d} ms'),
    target_fixture="drill",
)
def _(drills: Drills, path: str, before: int, after: int) -> Drill:
    was = {"FAULTS": f"slow:{path}:{before}ms"}
    return drills.prepare(Exercise({"FAULTS": f"slow:{path}:{after}ms"}, was))


@given("a candidate without a fault", target_fixture="drill")
def _(drills: Drills) -> Drill:
    return drills.prepare(Exercise())


@given(parsers.parse('a candidate whose migrations are "{kind}"'), target_fixture="drill")
def _(drills: Drills, kind: str) -> Drill:
    migrations = {"MIGRATIONS": f"app/migrations:app/drills/{kind}"}
    return drills.prepare(Exercise(migrations, migrates=True))


@when("the drill is released")
def _(drill: Drill) -> None:
    drill.run()


@when("the drill is released to users")
def _(drill: Drill, objectives: Gate) -> None:
    drill.run(objectives)


@when("the drill is rolled back")
def _(drill: Drill) -> None:
    drill.release.roll_back()


@then(parsers.parse('it is stopped at its {stage} because "{reason}"'))
def _(drill: Drill, stage: str, reason: str) -> None:
    drill.stopped_at(stage, reason)


@then("the drill's baseline serves every user")
def _(drill: Drill) -> None:
    service.served_by(drill.release, drill.release.baseline)


@then("rolling back again changes nothing")
def _(drill: Drill) -> None:
    drill.rolls_back_to_nothing_new()
