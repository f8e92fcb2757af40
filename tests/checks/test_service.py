"""A service is judged by who serves, and a candidate by what was asked for."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.checks import drill, release_state, service
from greenrun.model.errors import GateClosed
from greenrun.model.interfaces import HttpResponse
from greenrun.model.plan import Plan
from greenrun.model.revision import ServiceSettings
from greenrun.release.migrate import Migration
from greenrun.release.release import Release
from tests.checks.deployed import deploy
from tests.conftest import BASELINE, World


@pytest.fixture
def deployed(release: Release) -> Release:
    return deploy(release)


def test_a_fresh_candidate_passes_everything(deployed: Release) -> None:
    service.served_by(deployed, BASELINE)
    service.candidate_image(deployed)
    service.candidate_settings(deployed)
    service.variables_kept(deployed)
    service.reachable(deployed)
    service.no_traffic(deployed, deployed.candidate.name)
    service.restored(deployed, BASELINE)
    service.ready_time(deployed)
    release_state.one_serves(deployed)
    release_state.baseline_answers(deployed)


def test_a_split_is_not_everybody(deployed: Release) -> None:
    deployed.raise_share(10)
    with pytest.raises(GateClosed, match=f"needs 100 % {BASELINE}"):
        service.served_by(deployed, BASELINE)
    with pytest.raises(GateClosed, match="got 10 % of the traffic, needs none"):
        service.no_traffic(deployed, deployed.candidate.name)


def test_a_split_that_somebody_else_answers_is_no_proof(deployed: Release, world: World) -> None:
    world.logs.answering = lambda: ["somebody"]
    with pytest.raises(GateClosed, match=f"answers: got somebody, needs {BASELINE}"):
        service.served_by(deployed, BASELINE)


def live(world: World, release: Release, **changes: object) -> None:
    """Have the platform describe the candidate otherwise than it was made."""
    name = release.candidate.name
    known = world.platform.revisions_by_name
    known[name] = replace(known[name], **changes)  # type: ignore[arg-type]  # a test's own fields


def test_another_image_is_told(deployed: Release, world: World) -> None:
    live(world, deployed, image="other")
    with pytest.raises(GateClosed, match=r"image: got other, needs registry\.test/shop@sha256:b"):
        service.candidate_image(deployed)


def test_settings_that_were_not_asked_for_are_told_key_by_key(
    deployed: Release, world: World, plan: Plan
) -> None:
    wanted = replace(plan.settings, concurrency=80, cpu="1")
    deployed.candidate.plan = replace(plan, settings=wanted)
    live(world, deployed, settings=replace(wanted, concurrency=1, cpu="4", memory="4Gi"))
    with pytest.raises(GateClosed) as told:
        service.candidate_settings(deployed)
    assert str(told.value) == (
        "settings of the candidate: concurrency: got 1, needs 80; cpu: got 4, needs 1"
    )


def test_a_closed_door_is_told(deployed: Release, world: World) -> None:
    world.platform.public = False
    with pytest.raises(GateClosed, match="who may invoke: got not everybody, needs everybody"):
        service.reachable(deployed)


def test_a_check_of_invokers_that_ends_with_the_promotion_is_right_before_and_after(
    deployed: Release, world: World
) -> None:
    unchecked = ServiceSettings(invoker_iam_check=False)
    deployed.plan = replace(deployed.plan, public=False, service_settings=unchecked)
    for public in (False, True):
        world.platform.public = public
        service.reachable(deployed)


def test_a_baseline_that_is_gone_is_no_way_back(deployed: Release, world: World) -> None:
    del world.platform.revisions_by_name[BASELINE]
    with pytest.raises(GateClosed, match="needs to be kept as the way back"):
        service.no_traffic(deployed, BASELINE)


def test_every_is_false_of_nothing(release: Release) -> None:
    with pytest.raises(GateClosed, match="got no"):
        release_state.none_pending([])
    with pytest.raises(GateClosed, match="got no"):
        drill.all_passed(release, [])


def test_a_pending_migration_is_named() -> None:
    migrations = [Migration("1", applied=True), Migration("2", applied=False)]
    with pytest.raises(GateClosed, match="pending migrations: got 2, needs every one applied"):
        release_state.none_pending(migrations)


def test_users_who_were_never_sent_back_are_not_served_as_before(deployed: Release) -> None:
    deployed.raise_share(10)
    with pytest.raises(GateClosed, match=f"needs 100 % {BASELINE}"):
        service.restored(deployed, BASELINE)
    deployed.roll_back()
    service.restored(deployed, BASELINE)


def test_a_candidate_without_a_way_back_is_told(deployed: Release) -> None:
    with pytest.raises(GateClosed, match="no baseline is known to go back to"):
        service.restored(deployed, "")


def test_before_there_was_a_candidate_nobody_has_to_be_sent_back(release: Release) -> None:
    service.restored(release, "")


def test_a_revision_that_is_still_there_is_not_gone(deployed: Release) -> None:
    service.gone(deployed, "shop-nowhere")
    with pytest.raises(GateClosed, match=f"{BASELINE}: got .*, needs no such revision"):
        service.gone(deployed, BASELINE)


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_service_that_answers_is_not_at_zero(
    deployed: Release, world: World, status: int
) -> None:
    world.web.answers["/"] = HttpResponse(status, {}, "", timedelta(milliseconds=1))
    with pytest.raises(GateClosed, match=f"got {status}, needs 503, as it is at zero"):
        service.unavailable(deployed)


def test_a_service_at_zero_says_so(deployed: Release, world: World) -> None:
    world.web.answers["/"] = HttpResponse(503, {}, "", timedelta(milliseconds=1))
    service.unavailable(deployed)
