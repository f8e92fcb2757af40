"""A release stands on the service as it left it, and notices when somebody has moved it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from greenrun.model.errors import ConcurrentChange, ReleaseError
from greenrun.model.plan import Plan
from greenrun.model.traffic import LATEST, Target, TrafficSplit
from greenrun.release.coordination.guard import DriftGuard
from tests.conftest import BASELINE, World

TAGGED = TrafficSplit((Target(BASELINE, 100), Target(BASELINE, 0, "mine")))


@pytest.fixture
def drift(plan: Plan, world: World) -> DriftGuard:
    """On the service as it is, which has been changed twice by then."""
    assert world.platform.state is not None
    world.platform.state = replace(world.platform.state, generation=3)
    drift = DriftGuard(plan, world.platform)
    drift.remember(world.platform.state)
    return drift


def test_nothing_rests_on_a_service_that_was_not_looked_at(plan: Plan, world: World) -> None:
    drift = DriftGuard(plan, world.platform)
    with pytest.raises(ReleaseError, match="the baseline is not known in this run"):
        _ = drift.last_seen


def test_a_service_that_is_as_it_was_left_is_undisturbed(drift: DriftGuard) -> None:
    drift.check_unchanged()


@pytest.mark.parametrize("split", [TAGGED, TrafficSplit.all_to("shop-older")])
def test_a_stale_reading_is_no_change(drift: DriftGuard, world: World, split: TrafficSplit) -> None:
    world.platform.state = replace(drift.last_seen, generation=2, wanted=split, actual=split)
    drift.check_unchanged()


def test_targets_in_another_order_are_no_change(drift: DriftGuard, world: World) -> None:
    drift.remember(replace(drift.last_seen, wanted=TAGGED))
    turned = TrafficSplit(tuple(reversed(TAGGED.targets)))
    world.platform.state = replace(drift.last_seen, wanted=turned)
    drift.check_unchanged()


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.platform.change_by_somebody(),
        lambda world: world.platform.change_by_somebody(wanted=TAGGED),
    ],
)
def test_a_newer_generation_is_somebodys_change(
    drift: DriftGuard, world: World, change: Callable[[World], None]
) -> None:
    change(world)
    with pytest.raises(ConcurrentChange, match=r"shop was changed by alice: got generation 4"):
        drift.check_unchanged()


@pytest.mark.parametrize("split", [TAGGED, TrafficSplit.all_to(LATEST)])
def test_another_split_of_the_same_generation_is_somebodys_change(
    drift: DriftGuard, world: World, split: TrafficSplit
) -> None:
    world.platform.state = replace(
        drift.last_seen, wanted=split, changed_by="alice", changed_at="2026-11-21T08:00:00Z"
    )
    with pytest.raises(ConcurrentChange) as told:
        drift.check_unchanged()
    assert str(told.value) == (
        f"shop was changed by alice at 2026-11-21T08:00:00Z: got generation 3 with {split}, "
        f"needs generation 3 with 100 % {BASELINE}, as this release left it\n"
        "hint: speak with alice, then release again: nothing of theirs was overwritten"
    )


def test_a_service_that_is_gone_was_deleted_by_somebody(drift: DriftGuard, world: World) -> None:
    world.platform.state = None
    with pytest.raises(ConcurrentChange, match="shop was deleted by somebody"):
        drift.check_unchanged()
