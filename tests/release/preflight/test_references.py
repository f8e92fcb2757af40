"""Every secret version that the service reads exists."""

from dataclasses import replace

from greenrun.model.plan import Plan
from greenrun.model.revision import SecretReference
from greenrun.release.preflight import references
from greenrun.release.preflight.context import Scene
from tests.conftest import World
from tests.release.preflight.conftest import Told


def test_each_that_is_missing_is_named_with_its_variable(
    told: Told, plan: Plan, world: World, scene: Scene
) -> None:
    secrets = {"API_TOKEN": SecretReference("token", "5"), "KEY": SecretReference("key", "1")}
    world.secret_store.versions.add("key:1")
    referring = replace(plan, settings=replace(plan.settings, secrets=secrets))
    assert told(references.readable, referring) == [
        (
            "secret version: got no token:5 for API_TOKEN, needs an enabled version; hint: gcloud "
            "secrets versions add, or correct `deploy.update-secrets` in release.yaml"
        )
    ]
    assert scene.measured == ["secret versions: token:5, key:1"]


def test_a_service_without_secrets(told: Told, scene: Scene) -> None:
    assert told(references.readable) == []
    assert scene.measured == ["secret versions: none"]
