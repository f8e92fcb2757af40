"""An image is built once, under the image tag that the plan's policy gives it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from greenrun.model.errors import GateClosed
from greenrun.model.image import Build, Source, TagPolicy
from greenrun.model.interfaces import Watch
from greenrun.model.plan import BuildPlan, Plan
from greenrun.release import build
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from tests.conftest import World
from tests.fakes import IMAGE_ID, FakeBuilder

COMMIT = "c0ffee" * 6 + "c0ff"


Building = Callable[[Plan], Build]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where release.yaml stands."""
    return tmp_path


@pytest.fixture
def built(world: World, guard: ChangeGuard, folder: Path) -> Building:
    """Builds as a plan says."""
    return lambda plan: build.build(plan, world.dependencies, guard, Source(folder, COMMIT))


def by(plan: Plan, policy: TagPolicy, *, also_latest: bool = False) -> Plan:
    return replace(plan, build=replace(plan.build, tag_policy=policy, also_latest=also_latest))


@pytest.mark.parametrize(
    ("policy", "tag"),
    [
        (TagPolicy.TIMESTAMP, "shop-20261121-080000"),
        (TagPolicy.BUILD_ID, "1"),
        (TagPolicy.COMMIT, "c0ffeec0ffee"),
    ],
)
def test_the_policy_gives_the_image_tag(
    plan: Plan, world: World, built: Building, policy: TagPolicy, tag: str
) -> None:
    made = built(by(plan, policy))
    assert made.image.tag == tag
    assert world.builder.tags == {f"registry.test/shop:{tag}": IMAGE_ID}


def test_the_image_tag_is_left_for_whoever_rolls_back_by_hand(
    plan: Plan, built: Building, folder: Path
) -> None:
    for number in ("1", "2"):
        built(by(plan, TagPolicy.BUILD_ID))
        assert (folder / "build_tag.txt").read_text("utf-8") == f"{number}\n"


def test_the_plan_says_which_file_is_told_the_tag(
    plan: Plan, built: Building, folder: Path
) -> None:
    built(replace(plan, build=replace(plan.build, tag_file="image/tag.txt")))
    assert (folder / "image/tag.txt").read_text("utf-8") == "shop-20261121-080000\n"
    assert not (folder / "build_tag.txt").exists()


def test_latest_stands_beside_it(plan: Plan, world: World, built: Building) -> None:
    built(by(plan, TagPolicy.BUILD_ID, also_latest=True))
    assert world.builder.tags == {
        "registry.test/shop:1": IMAGE_ID,
        "registry.test/shop:latest": IMAGE_ID,
    }


@pytest.mark.parametrize(
    ("earlier", "number"),
    [(["1"], "2"), (["9", "10"], "11"), (["10", "9"], "11"), (["shop-20261121-080000"], "1")],
)
def test_build_ids_count_on_over_runs_of_this_machine(
    plan: Plan, built: Building, journal: Journal, earlier: Iterable[str], number: str
) -> None:
    for tag in earlier:
        journal.note("build", f"registry.test/shop:{tag}", tag=tag)
    made = built(by(plan, TagPolicy.BUILD_ID))
    assert made.image.tag == number


def test_a_build_stands_in_the_journal_and_in_the_evidence(
    plan: Plan, world: World, built: Building, journal: Journal
) -> None:
    made = built(by(plan, TagPolicy.COMMIT))
    told = [(one.action, one.subject, one.state, one.facts) for one in journal.entries()]
    assert told == [("build", made.image.reference, "noted", {"tag": "c0ffeec0ffee"})]
    assert world.evidence.kept == {
        "build log": made.log,
        "image inspection": made.image.describe(),
    }


class BrokenBuilder(FakeBuilder):
    """The Dockerfile fails."""

    def build(self, plan: BuildPlan, *, tag: str, watch: Watch) -> Build:
        del plan, tag, watch
        raise GateClosed("the Dockerfile failed")


def test_an_image_that_was_not_made_leaves_no_trace(
    plan: Plan, world: World, built: Building, journal: Journal, folder: Path
) -> None:
    world.builder = BrokenBuilder()
    with pytest.raises(GateClosed, match="the Dockerfile failed"):
        built(plan)
    assert journal.entries() == ()
    assert list(folder.iterdir()) == []
