"""The sentence about what lies ahead."""

import pytest
from pytest_bdd import then

from greenrun.checks import foretold
from greenrun.model.objective import Gate
from greenrun.plugin.gherkin.tables import first_table
from greenrun.plugin.options import RunOptions
from greenrun.release.dry_run import Rehearsed
from greenrun.release.release import Release
from greenrun.reporting.monitoring import MonitoringTargets, Objectives
from greenrun.steps.tables import gate


@pytest.fixture
def objectives(request: pytest.FixtureRequest) -> Gate:
    """Those of the canary, for what is said before its feature is at hand."""
    table = first_table(request.path.parent, "these objectives of the canary")
    return gate(table) if table else Gate(())


@then("the plan tells what serves now, what would change and how it would be taken back")
def _(
    release: Release,
    rehearsed: Rehearsed | None,
    promised: Objectives,
    watchers: MonitoringTargets,
    run_options: RunOptions,
) -> None:
    foretold.told(release, rehearsed, promised, watchers.alerts, aloud=run_options.plan)
