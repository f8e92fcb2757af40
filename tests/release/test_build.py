"""An image is built once, under the image tag that the plan's policy gives it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.image import Build, Source, TagPolicy
from greenrun.model.interfaces import Leak, Watch
from greenrun.model.plan import BuildPlan, Plan
from greenrun.release import build
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.release import Release
from tests.conftest import World
from tests.fakes import IMAGE_ID, MANIFEST, FakeBuilder

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


def test_an_image_that_starts_nothing_is_stopped_at_its_build(
    plan: Plan, world: World, built: Building
) -> None:
    world.builder.command = ()
    with pytest.raises(GateClosed, match="got neither CMD nor ENTRYPOINT") as closed:
        built(plan)
    assert closed.value.hint.startswith("add a CMD to the Dockerfile")


def test_an_argument_that_looks_like_a_secret_is_not_built(
    plan: Plan, world: World, built: Building
) -> None:
    world.scanner.hidden.append(Leak("build.args.TOKEN", 1, "Secret Keyword"))
    with pytest.raises(GateClosed, match=r"got build\.args\.TOKEN:1: Secret Keyword") as closed:
        built(replace(plan, build=replace(plan.build, args={"TOKEN": "x", "PYTHON": "3.11"})))
    assert closed.value.hint == "hand it in by `build.secrets`, which no image keeps"
    assert world.builder.tags == {}


def test_an_image_tag_by_the_commit_needs_one(
    plan: Plan, world: World, guard: ChangeGuard, folder: Path
) -> None:
    with pytest.raises(ReleaseError, match="got commit, and no git checkout with one"):
        build.build(by(plan, TagPolicy.COMMIT), world.dependencies, guard, Source(folder, ""))


def elsewhere(plan: Plan, image: str) -> Plan:
    return replace(plan, build=replace(plan.build, image=image))


def test_an_image_that_was_built_elsewhere_is_fetched_by_its_digest(
    plan: Plan, world: World, built: Building, journal: Journal, folder: Path
) -> None:
    image = f"registry.test/shop@{MANIFEST}"
    made = built(elsewhere(plan, image))
    assert (made.image.reference, made.image.name, made.image.tag) == (image, image, "")
    assert world.builder.pulled == [image]
    assert world.builder.tags == {}
    assert world.progress.lines[-1] == f"built elsewhere: {image}"
    told = [(one.action, one.subject, one.facts) for one in journal.entries()]
    assert told == [("fetch", image, {"image": image})]
    assert world.evidence.kept["build log"] == made.log
    assert not (folder / "build_tag.txt").exists()


def test_what_an_image_tag_means_is_asked_once_and_told(release: Release, world: World) -> None:
    release.plan = elsewhere(release.plan, "registry.test/shop:stable")
    world.registry.held["registry.test/shop:stable"] = MANIFEST
    made = release.build_image()
    world.registry.held["registry.test/shop:stable"] = IMAGE_ID
    assert release.build_image() is made
    assert made.image.reference == f"registry.test/shop@{MANIFEST}"
    assert world.progress.lines[-1] == (
        f"built elsewhere: registry.test/shop@{MANIFEST}, which registry.test/shop:stable means now"
    )


def test_an_image_tag_that_the_registry_does_not_know_is_no_image(
    plan: Plan, built: Building
) -> None:
    with pytest.raises(ReleaseError, match=r"got no registry\.test/shop:none in its registry"):
        built(elsewhere(plan, "registry.test/shop:none"))


@pytest.mark.parametrize(
    "image", [f"registry.test/shop@{IMAGE_ID}", f"registry.test/other@{MANIFEST}"]
)
def test_another_image_than_the_rehearsed_is_not_adopted(
    plan: Plan, world: World, built: Building, image: str
) -> None:
    made = built(elsewhere(plan, f"registry.test/shop@{MANIFEST}"))
    other = elsewhere(plan, image)
    repository = replace(other.build, repository=image.partition("@")[0])
    with pytest.raises(GateClosed, match=f"got {image}, needs registry.test/shop@{MANIFEST}"):
        build.adopt(made, replace(other, build=repository), world.dependencies)


def test_the_image_that_was_rehearsed_is_adopted_as_it_is(
    plan: Plan, world: World, built: Building
) -> None:
    made = built(elsewhere(plan, f"registry.test/shop@{MANIFEST}"))
    for image in (f"registry.test/shop@{MANIFEST}", "registry.test/shop:stable"):
        assert build.adopt(made, elsewhere(plan, image), world.dependencies) is made
    assert world.builder.tags == {}
