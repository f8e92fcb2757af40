"""Rehearsals as a user starts them; the first one is shared by all that build on it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_hex

import docker
import pytest

from tests.rehearsal.project import Ended, Project


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    with closing(docker.from_env()) as client:
        yield client


@pytest.fixture(scope="session")
def repository(engine: docker.DockerClient) -> Iterator[str]:
    """Where the images of these tests go, and whence they are removed when all is over."""
    repository = f"greenrun-test-{token_hex(4)}/emergence-app"
    yield repository
    for image in engine.images.list(repository):
        for name in image.tags:
            if name.startswith(f"{repository}:"):
                engine.images.remove(name)


@pytest.fixture(scope="session")
def green(repository: str, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The first rehearsal of a project that nobody broke, with its page."""
    project = Project.new(tmp_path_factory.mktemp("rehearsal") / "green", repository)
    return project.rehearse("features/", "-m", "not drill")


@pytest.fixture
def branch(green: Ended, tmp_path: Path) -> Project:
    """A copy of the project after its first rehearsal, to be changed at will.

    Its candidate goes straight to half of the users: the first one has shown what steps are.
    """
    assert green.status == 0, green.output
    project = green.project.branch(tmp_path / "changed")
    project.raise_at_once()
    return project
