"""Every builder that this machine has, each by itself on PATH."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KINDS = ("classic", "docker", "buildx")
_PLUGINS = ("/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins")
_PLACES = (
    ROOT / ".setup/docker-buildx/usr/libexec/docker/cli-plugins",
    *map(Path, _PLUGINS),
)


def put_on_path(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let PATH lead to this builder alone, and for the classic one to none."""
    folder.mkdir()
    if kind == "docker":
        (folder / "docker").symlink_to(_docker_that_speaks_buildkit())
    if kind == "buildx":
        (folder / "docker-buildx").symlink_to(_buildx())
    monkeypatch.setenv("PATH", str(folder))


def _docker_that_speaks_buildkit() -> str:
    """One from 20.10 to 22; later ones are for buildx to lead."""
    for place in ("/usr/bin/docker", shutil.which("docker")):
        if place and Path(place).exists() and _speaks_buildkit(place):
            return place
    pytest.skip("docker on this machine speaks to BuildKit by buildx alone")


def _speaks_buildkit(docker: str) -> bool:
    said = subprocess.run([docker, "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"version (20\.10|2[0-2])\.", said) is not None


def _buildx() -> str:
    found = [shutil.which("docker-buildx"), *(str(place / "docker-buildx") for place in _PLACES)]
    there = next((path for path in found if path and Path(path).exists()), None)
    assert there, "there is no docker-buildx on this machine; setup/buildx brings it"
    return there
