import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from docker import APIClient
from docker.utils import kwargs_from_env

from greenrun.adapters.docker.builder import DockerBuilder
from greenrun.model.errors import CallFailed, DeadlineExceeded, GateClosed
from greenrun.model.image import Digest
from greenrun.model.plan import BuildPlan

pytestmark = pytest.mark.docker

BASE = "FROM python:3.11-slim\n"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def ignore(_: str) -> None:
    """Nobody watches."""


@pytest.fixture
def engine() -> Iterator[APIClient]:
    with closing(APIClient(**kwargs_from_env())) as client:
        yield client


@pytest.fixture
def plan(engine: APIClient) -> Iterator[BuildPlan]:
    """A plan whose repository nobody else uses; what is built under it is removed."""
    repository = f"greenrun-test-{uuid.uuid4().hex[:12]}"
    yield BuildPlan(repository=repository, within=timedelta(seconds=60))
    for found in engine.images(repository):
        for tag in found["RepoTags"]:
            engine.remove_image(tag, force=True)


def write(folder: Path, dockerfile: str) -> DockerBuilder:
    (folder / "Dockerfile").write_text(BASE + dockerfile)
    return DockerBuilder(folder, commit=COMMIT, version="1.2.3")


def test_the_engine_tells_its_number() -> None:
    assert DockerBuilder(Path()).engine().split(".")[0].isdigit()


def test_no_engine_is_a_failed_call_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Over TCP: docker-py forgets to close a Unix socket that it could not connect.
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(CallFailed, match="hint: start the Docker engine"):
        DockerBuilder(tmp_path).engine()


def test_a_build_is_watched_labelled_and_inspected(
    tmp_path: Path, plan: BuildPlan, engine: APIClient
) -> None:
    shown: list[str] = []
    builder = write(tmp_path, 'RUN echo built > /built\nEXPOSE 8080\nENV GREETING="a=b"\n')
    build = builder.build(plan, tag="one", watch=shown.append)
    assert shown[:2] == ["Step 1/6 : FROM python:3.11-slim", "Step 2/6 : RUN echo built > /built"]
    assert "Step 2/6 : RUN echo built > /built\n" in build.log
    assert timedelta() < build.took < plan.within
    image = build.image
    assert (image.repository, image.tag) == (plan.repository, "one")
    assert (image.architecture, image.exposed_ports) == ("amd64", (8080,))
    assert image.variables["GREETING"] == "a=b"
    assert ("RUN echo built > /built", 6) in [
        (layer.instruction, layer.size_bytes) for layer in image.layers
    ]
    assert image.size_bytes == sum(layer.size_bytes for layer in image.layers)
    labels = engine.inspect_image(f"{plan.repository}:one")["Config"]["Labels"]  # type: ignore[no-untyped-call] # bare in the stubs
    assert labels == {
        "org.opencontainers.image.revision": COMMIT,
        "org.opencontainers.image.version": "1.2.3",
    }


def test_the_same_tree_builds_the_same_bytes(tmp_path: Path, plan: BuildPlan) -> None:
    builder = write(tmp_path, "RUN echo same\n")
    first = builder.build(plan, tag="one", watch=ignore)
    second = builder.build(plan, tag="two", watch=ignore)
    assert first.image.digest == second.image.digest


def test_an_image_can_be_found_by_its_digest_and_tagged_anew(
    tmp_path: Path, plan: BuildPlan
) -> None:
    builder = write(tmp_path, "RUN echo tagged\n")
    image = builder.build(plan, tag="one", watch=ignore).image
    assert builder.image(str(image.digest)) == image
    assert builder.image(image.reference) == image
    builder.tag(image.digest, plan.repository, "latest")
    latest = builder.image(f"{plan.repository}:latest")
    assert latest is not None
    assert latest.digest == image.digest


def test_an_image_that_is_not_here_is_none_and_cannot_be_tagged(plan: BuildPlan) -> None:
    builder = DockerBuilder(Path())
    assert builder.image(f"{plan.repository}:missing") is None
    with pytest.raises(CallFailed, match="got no image sha256:0000"):
        builder.tag(Digest("sha256:" + "0" * 64), plan.repository, "latest")


def test_ignored_files_stay_out_of_the_image(tmp_path: Path, plan: BuildPlan) -> None:
    (tmp_path / ".dockerignore").write_text("secret.txt\n")
    (tmp_path / "secret.txt").write_text("hunter2")
    (tmp_path / "open.txt").write_text("hello")
    builder = write(tmp_path, "COPY . /context\nRUN ls /context\n")
    log = builder.build(plan, tag="one", watch=ignore).log
    assert "open.txt" in log
    assert "secret.txt" not in log


def test_a_dockerfile_may_stand_outside_its_context(tmp_path: Path, plan: BuildPlan) -> None:
    context = tmp_path / "context"
    context.mkdir()
    builder = write(tmp_path, "RUN echo outside\n")
    elsewhere = BuildPlan(plan.repository, context="context", within=plan.within)
    assert "outside" in builder.build(elsewhere, tag="one", watch=ignore).log


def test_a_failing_instruction_closes_the_gate(tmp_path: Path, plan: BuildPlan) -> None:
    builder = write(tmp_path, "RUN echo so far && exit 3\n")
    with pytest.raises(GateClosed) as failure:
        builder.build(plan, tag="one", watch=ignore)
    message = failure.value.message
    assert message.startswith(f"could not build {plan.repository}:one: Step 2/4 : RUN echo so far")
    assert "returned a non-zero code: 3" in message
    assert "\nso far\n" in message


@pytest.mark.parametrize(
    ("dockerfile", "reason"),
    [("COPY missing.txt /\n", "missing.txt"), ("BAKE a cake\n", "(?i)unknown instruction: BAKE")],
)
def test_a_dockerfile_that_makes_no_sense_closes_the_gate(
    tmp_path: Path, plan: BuildPlan, dockerfile: str, reason: str
) -> None:
    with pytest.raises(GateClosed, match=reason):
        write(tmp_path, dockerfile).build(plan, tag="one", watch=ignore)


def test_no_dockerfile_closes_the_gate(tmp_path: Path, plan: BuildPlan) -> None:
    with pytest.raises(GateClosed, match=r"got no file .*/Dockerfile"):
        DockerBuilder(tmp_path).build(plan, tag="one", watch=ignore)


def test_a_build_over_its_budget_is_really_stopped(
    tmp_path: Path, plan: BuildPlan, engine: APIClient
) -> None:
    mark = uuid.uuid4().hex
    builder = write(tmp_path, f"RUN sleep 60; echo {mark}\n")
    hasty = BuildPlan(plan.repository, within=timedelta(seconds=2))
    with pytest.raises(DeadlineExceeded) as failure:
        builder.build(hasty, tag="one", watch=ignore)
    assert failure.value.last_seen == f"Step 2/4 : RUN sleep 60; echo {mark}"
    until(lambda: not any(mark in found["Command"] for found in engine.containers(all=True)))
    assert builder.image(f"{plan.repository}:one") is None


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
