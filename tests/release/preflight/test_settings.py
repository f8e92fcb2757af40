"""Secrets are found in what people write, and every version that is read exists."""

from dataclasses import replace
from pathlib import Path

import pytest

from greenrun.adapters.docker.builder import DockerBuilder
from greenrun.adapters.secrets.scan import DetectSecrets
from greenrun.model.image import Source
from greenrun.model.plan import BuildPlan, Plan
from greenrun.model.revision import SecretReference
from greenrun.release.preflight import settings
from greenrun.release.preflight.context import Context
from tests.conftest import World
from tests.release.preflight.conftest import Told, context_of

PASSWORD = 'password: "' + 'r7Qx2w9Lp"\n'


@pytest.fixture
def context(plan: Plan, world: World, source: Source, directory: Path) -> Context:
    """With a scanner that really looks, and a builder that sends what there is."""
    dependencies = replace(
        world.dependencies, scanner=DetectSecrets(directory), builder=DockerBuilder(directory)
    )
    return context_of(plan, dependencies, source)


def found(context: Context) -> list[str]:
    told = [str(problem) for problem in settings.none_stands(context)]
    return [
        text.partition(": got ")[2].partition(", needs no secret there; hint: ")[0] for text in told
    ]


def test_nothing(context: Context) -> None:
    assert found(context) == []
    assert context.measured == [
        (
            "looked for secrets in: release.yaml, env.yaml, Dockerfile and 4 files of the image, "
            "accepting nothing"
        )
    ]


@pytest.mark.parametrize("name", ["env.yaml", "release.yaml", "app/conf.yaml"])
def test_each_place_is_named_without_the_value(
    context: Context, directory: Path, name: str
) -> None:
    (directory / name).write_text(f"a: b\n{PASSWORD}")
    (told,) = settings.none_stands(context)
    assert str(told).startswith(
        f"secret: got {name}:2: Secret Keyword, needs no secret there; hint: "
    )
    assert "r7Qx2w9Lp" not in repr(told)


def test_what_dockerignore_keeps_out_is_not_the_images(context: Context, directory: Path) -> None:
    (directory / "notes.yaml").write_text(PASSWORD)
    assert found(context) == ["notes.yaml:1: Secret Keyword"]
    (directory / ".dockerignore").write_text("notes.yaml\n")
    assert found(context) == []


def test_the_dockerfile_counts_wherever_it_stands(context: Context, directory: Path) -> None:
    (directory / "docker").mkdir()
    (directory / "docker" / "Dockerfile").write_text(
        "ENV KEY=AIza" + "SyD4x8Qm2ZrT6vW1yB3nK5pL7sJ9hF0gC2e\n"
    )
    build = BuildPlan("registry.test/shop", dockerfile="docker/Dockerfile", context="app")
    elsewhere = replace(context, plan=replace(context.plan, build=build))
    assert found(elsewhere) == ["docker/Dockerfile:1: Google Key"]


def test_variables_count_whatever_their_file_is_called(context: Context, directory: Path) -> None:
    (directory / "env.yaml").unlink()
    settings = replace(context.plan.settings, variables={"DB_PASSWORD": "r7Qx2w9Lp"})
    leaking = replace(context, plan=replace(context.plan, settings=settings))
    assert found(leaking) == ["variable DB_PASSWORD:1: Secret Keyword"]


def test_each_that_is_missing_is_named_with_its_variable(
    told: Told, plan: Plan, world: World, context: Context
) -> None:
    referred = {"API_TOKEN": SecretReference("token", "5"), "KEY": SecretReference("key", "1")}
    world.secret_store.versions.add("key:1")
    referring = replace(plan, settings=replace(plan.settings, secrets=referred))
    assert told(settings.readable, referring) == [
        (
            "secret version: got no token:5 for API_TOKEN, needs an enabled version; hint: gcloud "
            "secrets versions add, or correct `deploy.update-secrets` in release.yaml"
        )
    ]
    assert context.measured == ["secret versions: token:5, key:1"]


def test_a_service_that_reads_no_secret(told: Told, context: Context) -> None:
    assert told(settings.readable) == []
    assert context.measured == ["secret versions: none"]
