"""A service at rest, and a baseline that could start again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from greenrun.model.errors import LockHeld, ReleaseError
from greenrun.model.image import Digest
from greenrun.model.interfaces import HttpResponse
from greenrun.model.lease import Lease, LeaseHolder
from greenrun.model.plan import Plan
from greenrun.model.release_state import FIRST_TAG, ReleaseState, Stage
from greenrun.model.revision import SecretReference, ServiceSettings
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release import preflight
from greenrun.release.coordination.lock import Lock
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


def test_a_service_that_does_not_exist_is_released_for_the_first_time(
    told: Told, world: World, context: Context
) -> None:
    world.platform.state = None
    assert told(rollback.at_rest) + told(rollback.startable) == []
    assert context.measured == [
        "baseline: shop does not exist yet: first release",
        "start of the baseline: not needed: first release",
    ]
    assert world.progress.lines == ["shop does not exist yet: first release"]


def test_a_service_that_an_unfinished_first_release_has_left_is_no_baseline(
    told: Told, world: World, context: Context
) -> None:
    left = TrafficSplit((Target(BASELINE, 100), Target(BASELINE, 0, FIRST_TAG)))
    world.platform.change_by_somebody(wanted=left, actual=left)
    assert told(rollback.at_rest) + told(rollback.startable) == []
    assert context.measured[0] == (
        "baseline: shop was left by an unfinished first release, which is dealt with first"
    )


def test_a_service_that_was_deleted_meanwhile(plan: Plan) -> None:
    with pytest.raises(ReleaseError, match="shop does not exist in projects/rehearsal"):
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


@pytest.mark.parametrize("seconds", [1, 89])
def test_somebody_who_releases_the_service_is_named_before_anything_begins(
    world: World, owner: LeaseHolder, plan: Plan, context: Context, seconds: int
) -> None:
    """Unless somebody is known to be dead, or a person wants to end the lease."""
    theirs = replace(owner, account="alice@example.com", run="theirs")
    leased(world, theirs, held=True)
    world.clock.sleep(timedelta(seconds=seconds))
    with pytest.raises(LockHeld, match="got lease 1 of alice@"):
        list(rollback.alone(context))
    assert list(rollback.alone(replace(context, unlock=True))) == []
    leases, clock = world.leases, world.clock
    dead = Lock("shop", owner, leases, clock, plan.lease_duration, is_gone=lambda _: True)
    assert list(rollback.alone(replace(context, lock=dead))) == []


def test_a_lease_that_was_ended_or_is_silent_is_in_nobodys_way(
    told: Told, world: World, owner: LeaseHolder
) -> None:
    assert told(rollback.alone) == []
    leased(world, owner, held=True)
    world.clock.sleep(timedelta(seconds=91))
    assert told(rollback.alone) == []
    world.leases.kept.clear()
    leased(world, owner, held=False)
    assert told(rollback.alone) == []


def test_a_service_without_its_default_url_is_one_finding(told: Told, world: World) -> None:
    assert world.platform.state is not None
    world.platform.state = replace(world.platform.state, url="")
    assert told(rollback.reachable) == [
        (
            "URL of shop: got none, needs its default URL, where revisions are asked; "
            "hint: gcloud run services update shop --default-url"
        )
    ]


@pytest.mark.parametrize("ingress", ["internal", "internal-and-cloud-load-balancing"])
@pytest.mark.parametrize("status", [404, 403, 302])
def test_an_ingress_that_turns_us_away_is_named_with_what_it_answers(
    told: Told, world: World, ingress: str, status: int
) -> None:
    assert world.platform.state is not None
    world.platform.state = replace(world.platform.state, ingress=ingress)
    assert told(rollback.reachable) == []
    world.web.answers["/"] = HttpResponse(status, {}, "", timedelta(milliseconds=1))
    world.logs.answering = list
    assert told(rollback.reachable) == [
        (
            f"ingress of shop: got {ingress}, which turns away requests from here (0 of them; "
            f"GET / at http://service.test answered {status} (10 times)), needs all, or a release "
            "from within the network; hint: release from a runner in the network, or "
            "gcloud run services update shop --ingress=all"
        )
    ]


def test_a_service_that_everybody_may_invoke_and_should_not(
    told: Told, world: World, plan: Plan
) -> None:
    world.platform.public = True
    assert told(rollback.reachable) == []
    assert told(rollback.reachable, replace(plan, public=False)) == [
        (
            "who may invoke shop: got everybody, needs only those who are granted it; "
            "hint: set `deploy.allow-unauthenticated` (or `deploy.invoker-iam-check: false`), or "
            "correct the policy of the service"
        )
    ]
    unchecked = ServiceSettings(invoker_iam_check=False)
    assert told(rollback.reachable, replace(plan, public=False, service_settings=unchecked)) == []


def test_nothing_is_to_be_reached_before_a_first_release(
    told: Told, world: World, context: Context
) -> None:
    world.platform.state = None
    assert told(rollback.reachable) == []
    assert context.measured == ["reaching the service: not needed: first release"]
