"""Rolling back traffic does not roll back the world: secrets at latest, an image that is gone."""

from contextlib import suppress

import pytest
from google.api_core.exceptions import AlreadyExists
from google.cloud import run_v2, secretmanager_v1

from greenrun.model.errors import GateClosed
from greenrun.model.revision import SecretReference
from tests.release.five_failures.world import NEW, OLD, PATIENCE, World, all_to, new, template, to

BEFORE, AFTER = "web-before", "web-after"
GONE = "gone"


def rotate(world: World, value: str) -> None:
    """A new version of the secret `token`, as a release brings it along."""
    parent = f"projects/{world.place.project}"
    secret_store = world.clients.secrets
    with suppress(AlreadyExists):
        secret = secretmanager_v1.Secret(replication={"automatic": {}})
        secret_store.create_secret(parent=parent, secret_id="token", secret=secret)
    payload = secretmanager_v1.SecretPayload(data=value.encode())
    secret_store.add_secret_version(parent=f"{parent}/secrets/token", payload=payload)


def release_and_go_back(world: World, version: str) -> None:
    """From one revision to the next and back, by traffic alone; then an instance starts anew."""
    rotate(world, "for the old code")
    secrets = {"TOKEN": SecretReference("token", version)}
    world.ours.deploy(new(BEFORE, secrets=secrets), all_to(BEFORE), world.reading(), PATIENCE)
    rotate(world, "for the new code")
    world.ours.deploy(new(AFTER), all_to(AFTER), world.reading(), PATIENCE)
    world.split(to(BEFORE))
    stopped = world.ours.scale_to_zero(world.reading(), PATIENCE)
    world.ours.scale_by_load(stopped, PATIENCE)


def test_after_a_naive_rollback_old_code_gets_the_new_secret(world: World) -> None:
    release_and_go_back(world, "latest")
    assert world.answering() == BEFORE
    assert world.variable("TOKEN") == "for the new code"


def test_a_numbered_version_is_what_old_code_gets_whenever_it_starts(world: World) -> None:
    release_and_go_back(world, "1")
    assert world.answering() == BEFORE
    assert world.variable("TOKEN") == "for the old code"


def test_what_a_rollback_would_not_bring_back_can_be_read_off_the_baseline(world: World) -> None:
    release_and_go_back(world, "latest")
    baseline = world.ours.revision(BEFORE)
    assert baseline is not None
    assert baseline.settings.secrets == {"TOKEN": SecretReference("token", "latest")}


def naive_rollback_by_image(world: World, image: str) -> str:
    """Deploys the earlier image again, and believes that this is all."""
    world.split(run_v2.TrafficTarget(type_=1, percent=100))
    change = run_v2.Service(name=world.name, template=template("web-back", image))
    request = run_v2.UpdateServiceRequest(service=change, update_mask={"paths": ["template"]})
    world.client.update_service(request)
    return "rolled back" if world.is_healthy() else "failed"


def test_a_naive_rollback_to_an_image_that_is_gone_leaves_users_with_the_bad_one(
    world: World,
) -> None:
    world.ours.deploy(new(NEW), all_to(NEW), world.reading(), PATIENCE)
    assert naive_rollback_by_image(world, GONE) == "rolled back"
    assert world.answering() == NEW


def test_ours_says_that_it_is_gone_and_the_baseline_s_revision_still_serves(world: World) -> None:
    released = world.ours.deploy(new(NEW), all_to(NEW), world.reading(), PATIENCE)
    with pytest.raises(GateClosed, match="CONTAINER_MISSING"):
        world.ours.deploy(new("web-back", GONE), all_to("web-back"), released, PATIENCE)
    after = world.ours.split_traffic(all_to(OLD), world.reading(), PATIENCE)
    assert after.resolved.serving == {OLD: 100}
    assert world.answering() == OLD
