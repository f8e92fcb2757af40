"""Services of six kinds are rehearsed and released, for the first time and again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.docker import DockerRuntime
from tests.registry import registry
from tests.services.adopter import HERE, Adopter, remove_images

pytestmark = pytest.mark.docker

SHORT, LONG = ("static", "push", "private"), ("binary", "node", "silent")
KINDS = SHORT + LONG


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with registry() as address:
        yield address


@pytest.fixture(scope="module")
def repositories() -> Iterator[set[str]]:
    """Those whose images are removed when nothing runs of them any more."""
    used: set[str] = set()
    yield used
    remove_images(used)


@pytest.fixture(scope="module")
def cloud(repositories: set[str]) -> Iterator[LocalCloud]:  # noqa: ARG001 - outlived by them
    with LocalCloud(DockerRuntime(), EnvoyIngress()) as cloud:
        yield cloud


@pytest.fixture(params=[*SHORT, *(pytest.param(kind, marks=pytest.mark.long) for kind in LONG)])
def adopter(
    request: pytest.FixtureRequest, tmp_path: Path, address: str, repositories: set[str]
) -> Adopter:
    adopter = Adopter.of(request.param, tmp_path / request.param, address)
    repositories.update(adopter.repositories)
    return adopter


def test_there_is_a_test_for_every_kind() -> None:
    assert {file.parent.name for file in HERE.glob("*/Dockerfile")} == set(KINDS)


@pytest.mark.parametrize("adopter", ["private"], indirect=True)
def test_the_required_keys_alone_are_rehearsed(adopter: Adopter) -> None:
    assert adopter.settings.keys() == {"service", "build", "environments"}
    ended = adopter.release()
    assert ended.status == 0, ended.output
    assert "a second, as release.yaml names no canary.probes-per-second" in ended.output


def test_a_service_is_released_for_the_first_time_and_again(
    adopter: Adopter, cloud: LocalCloud
) -> None:
    adopter.be_quick()
    first = adopter.release("--env=prod", cloud=cloud)
    assert first.status == 0, first.output
    assert "first release" in first.output
    again = adopter.release("--env=prod", cloud=cloud)
    assert again.status == 0, again.output
    assert again.record["baseline"] == first.record["candidate"]


@pytest.mark.parametrize("adopter", ["push"], indirect=True)
def test_a_probe_that_the_service_does_not_answer_so_is_told_before_anything_moves(
    adopter: Adopter,
) -> None:
    adopter.say({}, canary={"probes": ["GET /"]})
    ended = adopter.release()
    assert ended.status == 1, ended.output
    assert "the probe GET /: got 405, needs 2xx or 3xx" in ended.output
