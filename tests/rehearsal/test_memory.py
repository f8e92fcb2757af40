"""A release of a service that answers without end stays small, and brings its users back."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rehearsal.project import Project

pytestmark = pytest.mark.docker

HOSTILE = Path(__file__).parent / "hostile"
MOST_MEGABYTES = 400
ENDLESS = """Then the candidate answers
      | request           | body        |
      | GET /endless      | status = ok |
      | GET /bomb         | status = ok |
      | GET /deep         | status = ok |
      | GET /drip         | status = ok |
      | GET /metrics      | status = ok |"""
PAGE = """Then these pages open in a browser
      | page  |
      | /page |"""


@pytest.mark.parametrize("promise", [ENDLESS, PAGE], ids=["endpoints", "page"])
def test_what_answers_without_end_is_read_to_a_limit(
    promise: str, repository: str, tmp_path: Path
) -> None:
    folder = tmp_path / "hostile"
    shutil.copytree(HOSTILE, folder)
    fill(folder / "release.yaml", "REPOSITORY", repository)
    (folder / "features").mkdir()
    (folder / "release.feature.part").rename(folder / "features/release.feature")
    (folder / "conftest.py.part").rename(folder / "conftest.py")
    fill(folder / "features/release.feature", "PROMISE", promise)
    project = Project(folder)
    project.git("init", "--quiet")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "as it is released")
    command = [sys.executable, "-m", "pytest", "features/", "--no-html"]
    output = tmp_path / "output"
    with output.open("wb") as terminal:
        run = subprocess.run(
            command, cwd=folder, stdout=terminal, stderr=subprocess.STDOUT, check=False
        )
    told = output.read_text("utf-8", errors="replace")
    assert run.returncode == 1, told
    assert "It is asked" in told
    assert int((folder / "peak").read_text("utf-8")) / 1024 < MOST_MEGABYTES, told


def fill(path: Path, place: str, text: str) -> None:
    path.write_text(path.read_text("utf-8").replace(place, text), "utf-8")
