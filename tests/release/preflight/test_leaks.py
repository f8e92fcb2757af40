"""Secrets are found in what people write and in what the image is made of."""

from dataclasses import replace
from pathlib import Path

import pytest

from greenrun.adapters.secrets.scan import DetectSecrets
from greenrun.model.plan import BuildPlan, Plan
from greenrun.model.source import Source
from greenrun.model.stats import SequentialTest
from greenrun.release.preflight import secrets
from greenrun.release.preflight.context import Scene
from tests.conftest import World

PASSWORD = 'password: "' + 'r7Qx2w9Lp"\n'


@pytest.fixture
def scene(plan: Plan, world: World, source: Source, directory: Path) -> Scene:
    """With a scanner that really looks."""
    dependencies = replace(world.dependencies, scanner=DetectSecrets(directory))
    return Scene(plan, dependencies, source, SequentialTest())


def found(scene: Scene) -> list[str]:
    told = [str(doubt) for doubt in secrets.none_stands(scene)]
    return [
        text.partition(": got ")[2].partition(", needs no secret there; hint: ")[0] for text in told
    ]


def test_nothing(scene: Scene) -> None:
    assert found(scene) == []
    assert scene.measured == [
        "looked for secrets in: release.yaml, env.yaml, Dockerfile, ., accepting nothing"
    ]


@pytest.mark.parametrize("name", ["env.yaml", "release.yaml", "app/conf.yaml"])
def test_each_place_is_named_without_the_value(scene: Scene, directory: Path, name: str) -> None:
    (directory / name).write_text(f"a: b\n{PASSWORD}")
    (told,) = secrets.none_stands(scene)
    assert str(told).startswith(
        f"secret: got {name}:2: Secret Keyword, needs no secret there; hint: "
    )
    assert "r7Qx2w9Lp" not in repr(told)


def test_what_dockerignore_keeps_out_is_not_the_images(scene: Scene, directory: Path) -> None:
    (directory / "notes.yaml").write_text(PASSWORD)
    assert found(scene) == ["notes.yaml:1: Secret Keyword"]
    (directory / ".dockerignore").write_text("notes.yaml\n")
    assert found(scene) == []


def test_the_dockerfile_counts_wherever_it_stands(scene: Scene, directory: Path) -> None:
    (directory / "docker").mkdir()
    (directory / "docker" / "Dockerfile").write_text(
        "ENV KEY=AIza" + "SyD4x8Qm2ZrT6vW1yB3nK5pL7sJ9hF0gC2e\n"
    )
    build = BuildPlan("registry.test/shop", dockerfile="docker/Dockerfile", context="app")
    elsewhere = replace(scene, plan=replace(scene.plan, build=build))
    assert found(elsewhere) == ["docker/Dockerfile:1: Google Key"]


def test_variables_count_whatever_their_file_is_called(scene: Scene, directory: Path) -> None:
    (directory / "env.yaml").unlink()
    settings = replace(scene.plan.settings, variables={"DB_PASSWORD": "r7Qx2w9Lp"})
    leaking = replace(scene, plan=replace(scene.plan, settings=settings))
    assert found(leaking) == ["variable DB_PASSWORD:1: Secret Keyword"]
