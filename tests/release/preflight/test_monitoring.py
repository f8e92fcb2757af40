"""What monitoring needs to be allowed, and what it leaves in the tree."""

from dataclasses import replace

import pytest

from greenrun.model.monitoring import Figure, Level
from greenrun.model.plan import MonitoringPlan, Plan
from greenrun.release.preflight import git_tree
from greenrun.release.preflight.permissions import Situation, needed
from tests.conftest import World
from tests.release.preflight.conftest import Told

FIGURES = (Figure("cache size", Level("cache_size")),)
PREFIX = "monitoring.alertPolicies."


@pytest.mark.parametrize(
    ("monitoring", "asked"),
    [
        (None, set()),
        (MonitoringPlan(FIGURES, alerts=()), set()),
        (MonitoringPlan(FIGURES), {"list", "create"}),
        (MonitoringPlan(FIGURES, overwrite=True), {"list", "create", "update"}),
    ],
)
def test_policies_are_asked_for_where_somebody_is_to_be_alerted(
    plan: Plan, monitoring: MonitoringPlan | None, asked: set[str]
) -> None:
    permissions = needed(replace(plan, monitoring=monitoring), Situation())
    found = {name: role for name, role in permissions.items() if name.startswith(PREFIX)}
    assert found == {f"{PREFIX}{name}": "roles/monitoring.alertPolicyEditor" for name in asked}


def test_files_that_nobody_has_reviewed_yet_hold_no_release_up(
    told: Told, plan: Plan, world: World
) -> None:
    watched = replace(plan, monitoring=MonitoringPlan(FIGURES, folder="ops"))
    state = world.source_control.state
    world.source_control.state = replace(state, changed=("ops/prod/rules.yml",), branch="main")
    assert told(git_tree.in_step, watched) == []
    assert len(told(git_tree.in_step, plan)) == 1
