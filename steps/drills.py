"""Sentences about candidates that must be stopped, by the faults that the service knows."""

from datetime import timedelta

from pytest_bdd import given, parsers

from greenrun.checks.drill import Drill
from greenrun.plugin.gherkin.milestones import IMAGE, needs
from greenrun.release.rehearsal.environment import Exercise
from greenrun.steps.wiring.drills import Drills


@given(parsers.parse('a candidate with the fault "{faults}"'), target_fixture="drill")
@needs(IMAGE)
def _(drills: Drills, faults: str) -> Drill:
    return drills.prepare(Exercise({"FAULTS": faults}))


@given(
    parsers.parse('a candidate with the fault "{faults}", and {seconds:d} s to start'),
    target_fixture="drill",
)
@needs(IMAGE)
def _(drills: Drills, faults: str, seconds: int) -> Drill:
    within = timedelta(seconds=seconds)
    return drills.prepare(Exercise({"FAULTS": faults}, starts_within=within))


@given(
    parsers.parse('a candidate that makes "{path}" take {after:d} ms, where it took {before:d} ms'),
    target_fixture="drill",
)
@needs(IMAGE)
def _(drills: Drills, path: str, before: int, after: int) -> Drill:
    was = {"FAULTS": f"slow:{path}:{before}ms"}
    return drills.prepare(Exercise({"FAULTS": f"slow:{path}:{after}ms"}, was))


@given(parsers.parse('a candidate whose migrations are "{kind}"'), target_fixture="drill")
@needs(IMAGE)
def _(drills: Drills, kind: str) -> Drill:
    migrations = {"MIGRATIONS": f"app/migrations:app/drills/{kind}"}
    return drills.prepare(Exercise(migrations, migrates=True))
