"""A service at rest, and a baseline that could start again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from greenrun.model.errors import ReleaseError
from greenrun.model.image import Digest
from greenrun.model.lease import Lease, LeaseHolder
from greenrun.model.plan import Plan
from greenrun.model.release_state import ReleaseState, Stage
from greenrun.model.revision import SecretReference
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release import preflight
from greenrun.release.preflight import rollback
from greenrun.release.preflight.context import Context
from tests.conftest import BASELINE, World
from tests.fakes import IMAGE_ID, MANIFEST
from tests.release.preflight.conftest import Told

SPLIT = TrafficSplit((Target(BASELINE, 90), Target("shop-next", 10)))
STATE = ReleaseState("r", BASELINE, TrafficSplit.all_to(BASELINE), stage=Stage.MOVED)


def leased(world: World, owner: LeaseHolder, *, held: bool, release_state: str = "") -> None:
    now, lives = world.clock.now(), timedelta(seconds=90)
    world.leases.create(Lease(1, owner, now, now, lives, held=held, release_state=release_state))


def test_a_service_at_rest_is_described(told: Told, context: Context) -> None:
    assert told(rollback.at_rest) == []
    assert context.measured == [
        f"traffic: 100 % {BASELINE} (generation 1)",
        f"baseline: {BASELINE} at 100 %, old",
    ]


def test_a_split_service(told: Told, world: World) -> None:
    world.platform.change_by_somebody(wanted=SPLIT, actual=SPLIT)
    assert told(rollback.at_rest) == [
        (
            f"shop is split: got {SPLIT}, needs one revision at 100 %; "
            "hint: bring the service to rest: all traffic to one named revision"
        )
    ]


@pytest.mark.parametrize(
    "lease",
    [
        {"held": True},
        {"held": False, "release_state": STATE.as_json()},
        {"held": True, "release_state": STATE.as_json()},
    ],
)
def test_a_split_that_our_unfinished_release_has_left(
    told: Told, world: World, owner: LeaseHolder, context: Context, *, lease: dict[str, Any]
) -> None:
    world.platform.change_by_somebody(wanted=SPLIT, actual=SPLIT)
    leased(world, owner, **lease)
    assert told(rollback.at_rest) == []
    assert context.measured[1].startswith(
        f"unfinished release: lease 1 of {owner}, since 2026-11-21"
    )


def test_a_split_after_a_release_that_ended_is_somebody_elses(
    told: Told, world: World, owner: LeaseHolder
) -> None:
    world.platform.change_by_somebody(wanted=SPLIT, actual=SPLIT)
    ended = replace(STATE, stage=Stage.PROMOTED)
    leased(world, owner, held=False, release_state=ended.as_json())
    assert len(told(rollback.at_rest)) == 1


def test_a_service_that_does_not_exist(plan: Plan, world: World, context: Context) -> None:
    world.platform.state = None
    with pytest.raises(ReleaseError, match="shop does not exist in projects/rehearsal"):
        list(rollback.at_rest(context))
    with pytest.raises(ReleaseError, match="there is no way back"):
        preflight.existing(None, plan)


def test_the_baseline_is_who_serves_all(world: World) -> None:
    assert world.platform.state is not None
    assert preflight.baseline(world.platform.state) == BASELINE
    with pytest.raises(ReleaseError, match="shop is split"):
        preflight.baseline(replace(world.platform.state, actual=SPLIT))


def running(world: World, image: str, **secrets: SecretReference) -> None:
    """The baseline was made of this image, and reads these secrets."""
    revision = world.platform.revisions_by_name[BASELINE]
    settings = replace(revision.settings, secrets=secrets)
    changed = replace(revision, image=image, settings=settings)
    world.platform.revisions_by_name[BASELINE] = changed


@pytest.mark.parametrize(
    "image", [f"gcr.io/p/old@{MANIFEST}", "gcr.io:443/p/old", "gcr.io:443/p/old:v1"]
)
def test_an_image_that_the_registry_holds(told: Told, world: World, image: str) -> None:
    world.registry.ids[MANIFEST] = IMAGE_ID
    world.registry.held = {f"gcr.io:443/p/old:{tag}": MANIFEST for tag in ("latest", "v1")}
    running(world, image)
    assert told(rollback.startable) == []


@pytest.mark.parametrize(
    "image", [f"gcr.io/p/old@{Digest('sha256:' + 'c' * 64)}", "gcr.io/p/old:v1"]
)
def test_an_image_that_is_gone(told: Told, world: World, image: str) -> None:
    running(world, image)
    assert told(rollback.startable) == [
        (
            f"image of {BASELINE}: got nothing in the registry under {image}, needs the image that "
            "new instances of the baseline start from; "
            "hint: push that image again, or first release one that is kept"
        )
    ]


def test_a_secret_of_the_baseline_that_is_gone(told: Told, world: World) -> None:
    world.secret_store.versions.add("key:1")
    running(world, "old", KEY=SecretReference("key", "1"), API_TOKEN=SecretReference("token", "4"))
    assert told(rollback.startable) == [
        (
            f"secret of {BASELINE}: got no token:4 for API_TOKEN, needs an enabled version; "
            "hint: enable that version: new instances of the baseline read it"
        )
    ]


def test_the_baseline_of_an_unfinished_release_is_the_one_that_must_start(
    told: Told, world: World, owner: LeaseHolder
) -> None:
    world.platform.change_by_somebody(wanted=SPLIT, actual=SPLIT)
    leased(world, owner, held=False, release_state=STATE.as_json())
    assert told(rollback.startable) == []
    del world.platform.revisions_by_name[BASELINE]
    assert told(rollback.startable) == [
        f"revision {BASELINE}: got none, needs the baseline to go back to"
    ]


TAGGED_SPLIT = TrafficSplit((*SPLIT.targets, Target("shop-next", 0, "candidate")))


@pytest.mark.parametrize("garbled", ["{}", "not JSON"])
def test_what_no_lease_tells_is_told_by_the_service(
    told: Told, context: Context, world: World, owner: LeaseHolder, garbled: str
) -> None:
    leased(world, owner, held=False, release_state=garbled)
    assert rollback.rollback_target(context) == BASELINE
    world.platform.change_by_somebody(wanted=SPLIT, actual=SPLIT)
    assert len(told(rollback.at_rest)) == 1
    world.platform.change_by_somebody(wanted=TAGGED_SPLIT, actual=TAGGED_SPLIT)
    assert told(rollback.at_rest) == []
    assert rollback.rollback_target(context) == BASELINE
