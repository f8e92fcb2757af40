"""Charts are drawn beneath the sentence they belong to, once, and never at users' cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from greenrun.canary.progress import CanaryCharts
from greenrun.model.canary_step import CanaryStep
from greenrun.model.errors import GateClosed, ManualActionRequired
from greenrun.model.image import Source
from greenrun.model.interfaces import Chart
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import Plan
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.release import Release
from tests.canary.streams import Canary
from tests.conftest import BASELINE, FAILING, HEALTHY, World

SEEN = Canary(errors=0.2, shares=(10,)).steps()
OBJECTIVES = Gate((Threshold("error rate", "at most", Quantity(5, "%")),))


class NoCharts:
    """Cannot draw."""

    def of_canary(self, steps: Sequence[CanaryStep]) -> Sequence[Chart]:
        raise ValueError(f"{len(steps)} steps are too many")


@dataclass
class ServedCharts:
    """Draws who is served at the moment of drawing."""

    world: World

    def of_canary(self, steps: Sequence[CanaryStep]) -> Sequence[Chart]:
        assert steps
        return [Chart("served", str(self.world.serving).encode())]


@pytest.fixture
def showing(plan: Plan, world: World, guard: ChangeGuard, tmp_path: Path) -> Release:
    """A release with a candidate, whose chart shows who was served when it was drawn."""
    dependencies = replace(world.dependencies, charts=ServedCharts(world))
    release = Release(plan, dependencies, guard, {"a user": {}}, Source(tmp_path, "c0ffee"))
    release.acquire_lock()
    release.find_baseline()
    release.build_image()
    release.deploy()
    return release


def fail(release: Release, world: World) -> None:
    """Users meet a candidate that fails them, until its canary stops it."""
    world.metrics.answering[release.candidate.name] = FAILING
    with pytest.raises(GateClosed):
        release.run_canary(OBJECTIVES)


def test_charts_are_kept_at_the_place_that_was_chosen_and_once(world: World) -> None:
    showing = CanaryCharts(world.dependencies)
    showing.draw(SEEN)
    assert not world.evidence.kept
    showing.remember_place()
    showing.draw(SEEN)
    assert world.evidence.kept == {"canary": b"<svg>10 %</svg>"}
    world.evidence.kept.clear()
    showing.draw(SEEN)
    assert not world.evidence.kept


def test_what_cannot_be_drawn_is_told_and_stops_nothing(world: World) -> None:
    showing = CanaryCharts(replace(world.dependencies, charts=NoCharts()))
    showing.remember_place()
    showing.draw(SEEN)
    assert world.evidence.kept == {
        "charts of the canary": "could not be drawn: ValueError('1 steps are too many')"
    }


def test_a_canary_that_passes_is_shown(showing: Release, world: World) -> None:
    world.metrics.answering[showing.candidate.name] = HEALTHY
    showing.run_canary(OBJECTIVES)
    served = {BASELINE: 50, showing.candidate.name: 50}
    assert world.evidence.kept["served"] == str(served).encode()


def test_users_are_back_before_anything_is_drawn_of_a_failure(
    showing: Release, world: World
) -> None:
    fail(showing, world)
    assert "served" not in world.evidence.kept
    showing.roll_back()
    assert world.evidence.kept["served"] == str({BASELINE: 100}).encode()


def test_a_way_back_that_needs_a_person_is_shown_all_the_same(
    showing: Release, world: World
) -> None:
    fail(showing, world)
    world.platform.refuses.add("split_traffic")
    with pytest.raises(ManualActionRequired):
        showing.roll_back()
    assert "served" in world.evidence.kept
