"""A release stands on the service as it left it, and notices when somebody has moved it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from greenrun.model.errors import ConcurrentChange, ReleaseError
from greenrun.model.plan import Plan
from greenrun.model.traffic import LATEST, Target, TrafficSplit
from greenrun.release.coordination.drift import DriftGuard
from tests.conftest import BASELINE, World

TAGGED = TrafficSplit((Target(BASELINE, 100), Target(BASELINE, 0, "mine")))


@pytest.fixture
def footing(plan: Plan, world: World) -> DriftGuard:
    """On the service as it is, which has been changed twice by then."""
    assert world.platform.state is not None
    world.platform.state = replace(world.platform.state, generation=3)
    footing = DriftGuard(plan, world.platform)
    footing.stand_on(world.platform.state)
    return footing


def test_nothing_rests_on_a_service_that_was_not_looked_at(plan: Plan, world: World) -> None:
    footing = DriftGuard(plan, world.platform)
    with pytest.raises(ReleaseError, match="the baseline is not known in this run"):
        _ = footing.left


def test_a_service_that_is_as_it_was_left_is_undisturbed(footing: DriftGuard) -> None:
    footing.undisturbed()


@pytest.mark.parametrize("split", [TAGGED, TrafficSplit.all_to("shop-older")])
def test_a_stale_reading_is_no_change(
    footing: DriftGuard, world: World, split: TrafficSplit
) -> None:
    world.platform.state = replace(footing.left, generation=2, wanted=split, actual=split)
    footing.undisturbed()


def test_targets_in_another_order_are_no_change(footing: DriftGuard, world: World) -> None:
    footing.stand_on(replace(footing.left, wanted=TAGGED))
    turned = TrafficSplit(tuple(reversed(TAGGED.targets)))
    world.platform.state = replace(footing.left, wanted=turned)
    footing.undisturbed()


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.platform.change_by_somebody(),
        lambda world: world.platform.change_by_somebody(wanted=TAGGED),
    ],
)
def test_a_newer_generation_is_somebodys_change(
    footing: DriftGuard, world: World, change: Callable[[World], None]
) -> None:
    change(world)
    with pytest.raises(ConcurrentChange, match=r"shop was changed by alice: got generation 4"):
        footing.undisturbed()


@pytest.mark.parametrize("split", [TAGGED, TrafficSplit.all_to(LATEST)])
def test_another_split_of_the_same_generation_is_somebodys_change(
    footing: DriftGuard, world: World, split: TrafficSplit
) -> None:
    world.platform.state = replace(
        footing.left, wanted=split, changed_by="alice", changed_at="2026-11-21T08:00:00Z"
    )
    with pytest.raises(ConcurrentChange) as told:
        footing.undisturbed()
    assert str(told.value) == (
        f"shop was changed by alice at 2026-11-21T08:00:00Z: got generation 3 with {split}, "
        f"needs generation 3 with 100 % {BASELINE}, as this release left it\n"
        "hint: speak with alice, then release again: nothing of theirs was overwritten"
    )


def test_a_service_that_is_gone_was_deleted_by_somebody(footing: DriftGuard, world: World) -> None:
    world.platform.state = None
    with pytest.raises(ConcurrentChange, match="shop was deleted by somebody"):
        footing.undisturbed()
