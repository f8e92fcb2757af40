"""What was rehearsed is what the registry holds, or the release stops."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from greenrun.model.errors import GateClosed, LockLost
from greenrun.model.image import Digest, Image, Layer
from greenrun.model.plan import Plan
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.push import push
from tests.conftest import World
from tests.fakes import IMAGE_ID, MANIFEST

IMAGE = Image(
    "registry.test/shop", "one", IMAGE_ID, 30 * 10**6, "amd64", (Layer("COPY app", 10**7),)
)
OTHER = Digest("sha256:" + "c" * 64)
NAMES = ["registry.test/shop:one", "registry.test/shop:latest"]


@pytest.fixture
def held(guard: ChangeGuard, world: World) -> Iterator[ChangeGuard]:
    """An account whose lock is ours."""
    guard.lock.acquire(world.progress.report)
    yield guard
    guard.lock.release()


def changes(guard: ChangeGuard) -> list[tuple[str, str, str]]:
    found = guard.journal.entries()
    return [(one.action, one.subject, one.state) for one in found if one.action == "push"]


def test_a_pushed_image_goes_by_its_manifest(plan: Plan, world: World, held: ChangeGuard) -> None:
    pushed = push(IMAGE, plan, world.dependencies, held)
    assert pushed == replace(IMAGE, manifest=MANIFEST)
    assert pushed.reference == f"registry.test/shop@{MANIFEST}"
    assert world.registry.sent == NAMES
    assert world.progress.lines == ["pushing", "pushing"]


def test_each_push_is_journalled_around(plan: Plan, world: World, held: ChangeGuard) -> None:
    push(IMAGE, plan, world.dependencies, held)
    assert changes(held) == [("push", name, state) for name in NAMES for state in ("begun", "done")]
    begun = next(one for one in held.journal.entries() if one.action == "push")
    assert begun.facts == {**begun.facts, "tag": "one", "image_id": str(IMAGE_ID)}


def test_latest_stays_where_the_plan_leaves_it(plan: Plan, world: World, held: ChangeGuard) -> None:
    alone = replace(plan, build=replace(plan.build, also_latest=False))
    push(IMAGE, alone, world.dependencies, held)
    assert world.registry.sent == NAMES[:1]


def test_what_the_registry_holds_is_not_sent_again(
    plan: Plan, world: World, held: ChangeGuard
) -> None:
    push(IMAGE, plan, world.dependencies, held)
    again = push(IMAGE, plan, world.dependencies, held)
    assert again.manifest == MANIFEST
    assert world.registry.sent == NAMES
    assert changes(held)[-2:] == [("push", name, "noted") for name in NAMES]


def test_an_image_tag_of_other_bytes_is_moved(plan: Plan, world: World, held: ChangeGuard) -> None:
    world.registry.held[NAMES[0]] = OTHER
    world.registry.ids[OTHER] = OTHER
    assert push(IMAGE, plan, world.dependencies, held).manifest == MANIFEST
    assert world.registry.sent == NAMES


def test_other_bytes_than_the_rehearsed_close_the_gate(
    plan: Plan, world: World, held: ChangeGuard
) -> None:
    world.registry.swapped = OTHER
    with pytest.raises(GateClosed) as closed:
        push(IMAGE, plan, world.dependencies, held)
    assert closed.value.message == (
        f"registry.test/shop:one: got image {OTHER} by {MANIFEST} in the registry, "
        f"needs {IMAGE_ID}, which was rehearsed, by {MANIFEST}, which was pushed"
    )


def test_an_engine_may_know_an_image_by_its_manifest(
    plan: Plan, world: World, held: ChangeGuard
) -> None:
    world.registry.swapped = OTHER
    assert (
        push(replace(IMAGE, digest=MANIFEST), plan, world.dependencies, held).manifest == MANIFEST
    )


def test_nothing_is_sent_without_the_lock(plan: Plan, world: World, guard: ChangeGuard) -> None:
    with pytest.raises(LockLost):
        push(IMAGE, plan, world.dependencies, guard)
    assert world.registry.sent == []


def test_sizes_digests_and_both_names_are_kept(plan: Plan, world: World, held: ChangeGuard) -> None:
    push(IMAGE, plan, world.dependencies, held)
    assert world.evidence.kept["the image in the registry"] == "\n".join(
        (
            f"image id: {IMAGE_ID}",
            f"manifest: {MANIFEST}",
            f"deployed as: registry.test/shop@{MANIFEST}",
            *(f"image tag: {name}" for name in NAMES),
            "size: 30.0 MB in 1 layers",
            "largest layer: 10.0 MB",
        )
    )


def test_what_was_built_elsewhere_is_not_sent_where_its_registry_holds_it(
    plan: Plan, world: World, held: ChangeGuard
) -> None:
    elsewhere = replace(plan, build=replace(plan.build, image=f"registry.test/shop@{MANIFEST}"))
    image = replace(IMAGE, tag="", manifest=MANIFEST)
    with pytest.raises(GateClosed, match="got other bytes or none in its registry"):
        push(image, elsewhere, world.dependencies, held)
    world.registry.ids[MANIFEST] = IMAGE_ID
    assert push(image, elsewhere, world.dependencies, held) == image
    assert world.registry.sent == []
    assert changes(held) == [("push", f"registry.test/shop@{MANIFEST}", "noted")]
    assert world.progress.lines == ["not pushed: it was built elsewhere, and its registry holds it"]
