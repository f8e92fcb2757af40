"""What a rehearsal tells of the service that it sets up."""

from dataclasses import replace

import pytest

from greenrun.model.plan import Plan
from greenrun.release.coordination.journal import Journal
from greenrun.release.rehearsal import environment
from greenrun.release.rehearsal.environment import StandIn
from tests.conftest import World

STAND_IN = StandIn("web-stand-in", "image")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("gpu", "vpc-connector"), ["no effect here: gpu, vpc-connector"]),
        ((), []),
    ],
)
def test_settings_that_do_nothing_on_this_machine_are_named_once(
    plan: Plan, world: World, journal: Journal, flags: tuple[str, ...], told: list[str]
) -> None:
    world.platform.state, world.platform.no_effect = None, flags
    environment.start(replace(plan, migration=None), world.dependencies, journal, STAND_IN)
    assert [line for line in world.progress.lines if "effect" in line] == told
