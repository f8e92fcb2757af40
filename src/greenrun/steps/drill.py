"""Sentences about drills: candidates that must be stopped."""

from pytest_bdd import given, parsers, then, when

from greenrun.checks import service
from greenrun.checks.drill import Drill
from greenrun.model.objective import Gate
from greenrun.release.rehearsal.environment import Exercise
from greenrun.steps.wiring.drills import Drills


@given("a candidate without a fault", target_fixture="drill")
def _(drills: Drills) -> Drill:
    return drills.prepare(Exercise())


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
