"""Images as people build them: by what `docker build` takes, or by somebody else altogether."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import docker
import pytest

from tests.registry import registry
from tests.rehearsal.project import ENDS_WITHIN, ROOT

pytestmark = pytest.mark.docker

SERVICE = ROOT / "tests/services/silent"
DOCKERFILE = """\
# syntax=docker/dockerfile:1
FROM --platform=$BUILDPLATFORM python:3.11-slim AS base
ARG FILES
RUN --mount=type=cache,target=/cache --mount=type=secret,id=token sha256sum /run/secrets/token
COPY --chmod=644 rates.py yarn.lock* requirements.tx* /$FILES/
WORKDIR /$FILES
ENTRYPOINT ["python"]
CMD ["rates.py"]
FROM base AS service
EXPOSE 9000-9010
FROM base
RUN echo this stage is not wanted && false
"""
BUILD = """\
build:
  repository: {repository}
  args: {{FILES: srv}}
  target: service
  secrets: {{token: {{env: BUILD_TOKEN}}}}
"""


@dataclass(frozen=True)
class Rehearsed:
    folder: Path
    status: int
    output: str

    @property
    def words(self) -> str:
        """All that was told, in one line, as the terminal breaks lines where it likes."""
        return " ".join(self.output.split())


def rehearsed(folder: Path, build: str, **variables: str) -> Rehearsed:
    """A rehearsal of the service in a folder without a repository, once it was built so."""
    release = (SERVICE / "release.yaml").read_text("utf-8")
    line = next(line for line in release.splitlines(keepends=True) if line.startswith("build:"))
    (folder / "release.yaml").write_text(release.replace(line, build), "utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "features/", "--no-html"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=ENDS_WITHIN.total_seconds(),
    )
    return Rehearsed(folder, ended.returncode, ended.stdout + ended.stderr)


@pytest.fixture(scope="module")
def repository() -> Iterator[str]:
    """Whence images are removed when all is over."""
    repository = f"greenrun-test-{token_hex(4)}/silent"
    yield repository
    engine = docker.from_env()
    for image in engine.images.list(repository):
        for name in image.tags:
            engine.images.remove(name)
    engine.close()


@pytest.fixture(scope="module")
def token() -> str:
    return f"secret-{token_hex(12)}"


@pytest.fixture(scope="module")
def built(repository: str, token: str, tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    folder = tmp_path_factory.mktemp("images") / "built"
    shutil.copytree(SERVICE, folder)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "requirements.txt").write_text("")
    return rehearsed(folder, BUILD.format(repository=repository), BUILD_TOKEN=token)


def test_what_docker_build_takes_is_rehearsed_also_without_a_repository(
    built: Rehearsed, token: str
) -> None:
    assert built.status == 0, built.output
    assert "The rehearsal passed" in built.output
    assert "is no git checkout with a commit" in built.words
    assert "building by BuildKit" in built.output
    kept = [path.read_bytes() for path in built.folder.rglob("*") if path.is_file()]
    assert not [content for content in kept if token.encode() in content]


def test_an_image_that_was_built_elsewhere_is_rehearsed_without_a_dockerfile(
    built: Rehearsed, repository: str, tmp_path: Path
) -> None:
    tag = (built.folder / "build_tag.txt").read_text("utf-8").strip()
    folder = tmp_path / "elsewhere"
    shutil.copytree(SERVICE, folder)
    (folder / "Dockerfile").unlink()
    engine = docker.from_env()
    with registry() as address:
        there = f"{address}/silent"
        engine.images.get(f"{repository}:{tag}").tag(there, "stable")
        engine.images.push(there, "stable")
        engine.images.remove(f"{there}:stable")
        ended = rehearsed(folder, f"build: {{image: {there}:stable}}\n")
    for name in engine.images.list(there):
        engine.images.remove(name.attrs["RepoDigests"][0])
    engine.close()
    assert ended.status == 0, ended.output
    assert f"built elsewhere: {there}@sha256:" in ended.words
    assert f"which {there}:stable means now" in ended.words
    assert not (folder / "build_tag.txt").exists()
