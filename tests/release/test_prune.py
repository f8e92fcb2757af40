"""Old images go, and never one that is in use."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.checks import image
from greenrun.model.errors import CallFailed, LockLost
from greenrun.model.image import Digest, TagPolicy
from greenrun.model.interfaces import NewRevision, Timeout
from greenrun.model.lease import LeaseHolder
from greenrun.model.plan import Plan
from greenrun.model.revision import RevisionSettings
from greenrun.model.traffic import TrafficSplit
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.prune import prune_images
from greenrun.release.release import Release
from tests.conftest import BASELINE, World
from tests.stages import promoted

REPOSITORY = "registry.test/shop"
SOON = Timeout(timedelta(seconds=1))


def manifest(number: int) -> Digest:
    return Digest(f"sha256:{number:064x}")


def image_id(number: int) -> Digest:
    return Digest(f"sha256:{number:060x}abcd")


def tag(day: int) -> str:
    return f"shop-202611{day:02}-080000"


def hold(world: World, tags: dict[str, int]) -> None:
    for name, number in tags.items():
        world.registry.held[f"{REPOSITORY}:{name}"] = manifest(number)
        world.registry.ids[manifest(number)] = image_id(number)


def held(world: World) -> list[str]:
    return sorted(world.registry.tags(REPOSITORY))


def serve(world: World, image: str) -> None:
    """A revision of this image, which nobody has to be served by."""
    service = world.platform.state
    assert service is not None
    name = f"shop-{len(world.platform.revisions_by_name)}"
    split = TrafficSplit.all_to("shop-baseline")
    world.platform.deploy(NewRevision(name, image, RevisionSettings()), split, service, SOON)


@pytest.fixture
def keeping_two(plan: Plan) -> Plan:
    return replace(plan, keep_images=2)


@pytest.fixture(autouse=True)
def locked(guard: ChangeGuard, world: World) -> Iterator[None]:
    guard.lock.acquire(world.progress.report)
    yield
    guard.lock.release()


@pytest.fixture
def five(world: World) -> None:
    """Five releases, the newest of which is `latest` too."""
    hold(world, {tag(day): day for day in range(1, 6)} | {"latest": 5})


@pytest.mark.usefixtures("five")
def test_the_newest_that_nobody_uses_are_kept(
    keeping_two: Plan, world: World, guard: ChangeGuard
) -> None:
    removed = prune_images(keeping_two, world.dependencies, guard)
    assert removed == (f"{REPOSITORY}:{tag(1)}", f"{REPOSITORY}:{tag(2)}", f"{REPOSITORY}:{tag(3)}")
    assert held(world) == ["latest", tag(4), tag(5)]


@pytest.mark.usefixtures("five")
def test_without_a_number_everything_is_kept(plan: Plan, world: World, guard: ChangeGuard) -> None:
    assert prune_images(plan, world.dependencies, guard) == ()
    assert len(held(world)) == 6


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    "reference",
    [
        f"{REPOSITORY}@{manifest(1)}",
        f"{REPOSITORY}:{tag(1)}",
        f"{REPOSITORY}:{tag(1)}@{manifest(1)}",
        f"{REPOSITORY}@{image_id(1)}",
    ],
)
def test_what_a_revision_uses_is_kept(
    keeping_two: Plan, world: World, guard: ChangeGuard, reference: str
) -> None:
    serve(world, reference)
    none_kept = replace(keeping_two, keep_images=0)
    prune_images(none_kept, world.dependencies, guard)
    assert held(world) == ["latest", tag(1), tag(5)]


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("reference", [f"{REPOSITORY}:latest", REPOSITORY, f"{REPOSITORY}:stable"])
def test_an_image_tag_that_moves_is_a_doubt_and_nothing_goes(
    keeping_two: Plan, world: World, guard: ChangeGuard, reference: str
) -> None:
    serve(world, reference)
    assert prune_images(keeping_two, world.dependencies, guard) == ()
    assert world.progress.lines[-1] == (
        f"nothing is pruned: revisions use {reference}, which may mean any image"
    )


@pytest.mark.usefixtures("five")
def test_images_of_other_repositories_are_no_doubt(
    keeping_two: Plan, world: World, guard: ChangeGuard
) -> None:
    serve(world, f"{REPOSITORY}-admin:latest")
    assert len(prune_images(keeping_two, world.dependencies, guard)) == 3


def test_a_manifest_that_a_kept_tag_shares_is_kept(
    keeping_two: Plan, world: World, guard: ChangeGuard
) -> None:
    hold(world, {tag(1): 1, tag(2): 2, tag(3): 3, tag(4): 1, "stable": 2})
    assert prune_images(replace(keeping_two, keep_images=1), world.dependencies, guard) == (
        f"{REPOSITORY}:{tag(3)}",
    )
    assert held(world) == [tag(1), tag(2), tag(4), "stable"]


def test_what_people_named_is_never_old(
    keeping_two: Plan, world: World, guard: ChangeGuard
) -> None:
    named = {"stable": 1, "v1.2": 2, "cockpit-20251009-073931": 3, "latest": 4}
    hold(world, named)
    assert prune_images(replace(keeping_two, keep_images=0), world.dependencies, guard) == ()


def test_build_ids_are_old_by_their_number(
    keeping_two: Plan, world: World, guard: ChangeGuard
) -> None:
    hold(world, {"9": 9, "10": 10, "100": 100})
    by_number = replace(
        keeping_two, build=replace(keeping_two.build, tag_policy=TagPolicy.BUILD_ID)
    )
    assert prune_images(by_number, world.dependencies, guard) == (f"{REPOSITORY}:9",)


def test_commits_tell_no_time(keeping_two: Plan, world: World, guard: ChangeGuard) -> None:
    hold(world, {"c0ffeec0ffee": 1, "deadbeefdead": 2, "0123456789ab": 3})
    by_commit = replace(keeping_two, build=replace(keeping_two.build, tag_policy=TagPolicy.COMMIT))
    assert prune_images(by_commit, world.dependencies, guard) == ()


@pytest.mark.usefixtures("five")
def test_each_removal_is_journalled(keeping_two: Plan, world: World, guard: ChangeGuard) -> None:
    prune_images(keeping_two, world.dependencies, guard)
    done = [one for one in guard.journal.entries() if one.action == "prune"]
    assert [(one.subject, one.state, one.facts["tags"]) for one in done] == [
        (f"{REPOSITORY}@{manifest(day)}", state, tag(day))
        for day in (1, 2, 3)
        for state in ("begun", "done")
    ]


@pytest.mark.usefixtures("five")
def test_nothing_goes_while_it_is_unknown_what_is_used(
    keeping_two: Plan, world: World, guard: ChangeGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise CallFailed("could not list revisions")

    monkeypatch.setattr(world.platform, "revisions", refused)
    with pytest.raises(CallFailed):
        prune_images(keeping_two, world.dependencies, guard)
    assert len(held(world)) == 6


def test_after_a_release_baseline_and_candidate_still_have_their_images(
    keeping_two: Plan, world: World, release: Release
) -> None:
    hold(world, {tag(1): 1, tag(2): 2, tag(3): 3})
    older = world.platform.revisions_by_name[BASELINE]
    image_of_baseline = f"{REPOSITORY}@{manifest(2)}"
    world.platform.revisions_by_name[BASELINE] = replace(older, image=image_of_baseline)
    promoted(release)
    removed = prune_images(replace(keeping_two, keep_images=0), world.dependencies, release.guard)
    assert removed == (f"{REPOSITORY}:{tag(1)}", f"{REPOSITORY}:{tag(3)}")
    assert held(world) == ["latest", tag(2), tag(21)]
    image.kept(release, BASELINE, release.candidate.name)


def test_nothing_goes_once_another_has_taken_over(
    keeping_two: Plan, world: World, release: Release, owner: LeaseHolder
) -> None:
    hold(world, {tag(day): day for day in range(1, 6)})
    release.guard.lock.force_release(replace(owner, run="another"))
    with pytest.raises(LockLost):
        prune_images(keeping_two, world.dependencies, release.guard)
    assert len(held(world)) == 5
