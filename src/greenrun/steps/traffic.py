"""Sentences about users, on their way to the candidate and back, and about drills of both."""

from collections.abc import Sequence

from pytest_bdd import given, parsers, then, when

from greenrun.checks import drill, service
from greenrun.checks.drill import OBJECTIVES, Drill
from greenrun.model.canary_step import CanaryStep
from greenrun.model.objective import Gate, Threshold
from greenrun.plugin.gherkin.milestones import (
    AT_ZERO,
    BASELINE,
    CANDIDATE,
    IMAGE,
    PROMOTED,
    RESTORED,
    needs,
    reaches,
)
from greenrun.plugin.gherkin.step_binding import reads
from greenrun.plugin.options import RunOptions
from greenrun.release import manual
from greenrun.release.rehearsal.environment import Exercise
from greenrun.release.release import Release
from greenrun.steps.wiring.drills import Drills


@given("these objectives of the canary", target_fixture="objectives")
@reads(OBJECTIVES)
def _(datatable: Sequence[Threshold]) -> Gate:
    return Gate(tuple(datatable))


@when("the candidate's share rises by its steps", target_fixture="steps")
@needs(BASELINE, CANDIDATE)
def _(release: Release, objectives: Gate) -> tuple[CanaryStep, ...]:
    return release.run_canary(objectives)


@then("every step has passed its objectives")
def _(release: Release, steps: tuple[CanaryStep, ...]) -> None:
    drill.all_passed(release, steps)


@when("the candidate is promoted")
@needs(BASELINE, CANDIDATE)
@reaches(PROMOTED)
def _(release: Release) -> None:
    release.promote()


@when("every user is sent back", target_fixture="destination")
@reaches(RESTORED)
def _(release: Release, run_options: RunOptions, way_back_alone: bool) -> str:  # noqa: FBT001 - a fixture
    return manual.send_back(
        release,
        asked_for=way_back_alone,
        to=run_options.to,
        unlock=run_options.unlock,
        delete=run_options.delete_candidate,
    )


@then("users are served as before the release")
def _(release: Release, destination: str) -> None:
    service.restored(release, destination)


@when("the candidate that was rolled back is deleted", target_fixture="deleted")
def _(release: Release) -> str:
    return manual.remove_taken_back(release)


@then("no such revision is left")
def _(release: Release, deleted: str) -> None:
    service.gone(release, deleted)


@when("the service is scaled to zero")
@reaches(AT_ZERO)
def _(release: Release, run_options: RunOptions) -> None:
    manual.stop_every_instance(release, unlock=run_options.unlock)


@then("users are told that the service is unavailable")
def _(release: Release) -> None:
    service.unavailable(release)


@given("a candidate without a fault", target_fixture="drill")
@needs(IMAGE)
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
