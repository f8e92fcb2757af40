"""This repository's own features, as far as they go without an engine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rehearsal.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.new(tmp_path / "project", "greenrun-test/emergence-app")


def test_an_environment_that_nobody_knows_ends_the_run_at_once(project: Project) -> None:
    project.reports.mkdir()
    yesterday = project.reports / "release.json"
    yesterday.write_text(json.dumps({"outcome": "released", "exit_status": 0}))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "features/", "--env=nosuch"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nosuch" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert not yesterday.exists()
