"""Sentences about what must be true before anything moves, and about what lies ahead."""

from collections.abc import Sequence

import pytest
from pytest_bdd import then, when

from greenrun.checks import release_state
from greenrun.checks.drill import OBJECTIVES
from greenrun.checks.release_state import PREFLIGHT, PreflightCheck
from greenrun.model.objective import Gate
from greenrun.plugin.gherkin.milestones import BASELINE, LOCK, needs, reaches
from greenrun.plugin.gherkin.step_binding import reads
from greenrun.plugin.gherkin.tables import features_folder, first_table
from greenrun.plugin.options import RunOptions
from greenrun.release import recovery
from greenrun.release.dry_run import Rehearsed
from greenrun.release.release import Release
from greenrun.reporting.monitoring import MonitoringTargets, Objectives


@pytest.fixture
def objectives(request: pytest.FixtureRequest) -> Gate:
    """Those of the canary, for what is said before its feature is at hand."""
    folder = features_folder(request.config, request.path)
    table = first_table(folder, "these objectives of the canary")
    return Gate(OBJECTIVES.read(table) if table else ())


@then("all of this holds")
@reads(PREFLIGHT)
def _(
    release: Release,
    datatable: Sequence[PreflightCheck],
    objectives: Gate,
    run_options: RunOptions,
) -> None:
    release_state.preflight_holds(release, datatable, objectives, unlock=run_options.unlock)


@when("the service is read as it serves now")
@needs(LOCK)
@reaches(BASELINE)
def _(release: Release) -> None:
    release.find_baseline()


@then("one revision serves every user")
@needs(BASELINE)
def _(release: Release) -> None:
    release_state.one_serves(release)


@then("it is the baseline of this release")
@needs(BASELINE)
def _(release: Release) -> None:
    release_state.baseline_answers(release)


@then("the plan says what serves now, what would change and how to roll it back")
def _(
    release: Release,
    rehearsed: Rehearsed | None,
    monitored_objectives: Objectives,
    monitoring_targets: MonitoringTargets,
    run_options: RunOptions,
) -> None:
    release_state.tell_plan(
        release, rehearsed, monitored_objectives, monitoring_targets.alerts, aloud=run_options.plan
    )


@when("the release claims the service")
@reaches(LOCK)
def _(release: Release, run_options: RunOptions) -> None:
    recovery.acquire_lock(release, unlock=run_options.unlock)


@then("nobody else can release it")
@needs(LOCK)
def _(release: Release) -> None:
    release_state.is_locked(release)


@when("an unfinished release is rolled back or resumed")
@needs(LOCK)
def _(release: Release, run_options: RunOptions) -> None:
    recovery.recover(release, resume=run_options.resume)


@then("nothing is left unfinished")
def _(release: Release) -> None:
    release_state.nothing_unfinished(release)
