"""Sentences about the canary and the promotion."""

from pytest_bdd import given, then, when

from greenrun.checks import traffic
from greenrun.model.canary_step import CanaryStep
from greenrun.model.objective import Gate
from greenrun.release.release import Release
from greenrun.steps.tables import Table, gate


@given("these objectives of the canary", target_fixture="objectives")
def _(datatable: Table) -> Gate:
    return gate(datatable)


@when("the candidate's share rises by its steps", target_fixture="steps")
def _(release: Release, objectives: Gate) -> tuple[CanaryStep, ...]:
    return release.run_canary(objectives)


@then("every step has passed its objectives")
def _(steps: tuple[CanaryStep, ...]) -> None:
    traffic.all_passed(steps)


@when("the candidate is promoted")
def _(release: Release) -> None:
    release.promote()
