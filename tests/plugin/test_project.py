"""This repository's own features, as far as they go without an engine."""

import json
import os
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


def test_settings_of_a_rehearsal_that_cannot_be_meant_are_told_once(project: Project) -> None:
    project.replace("release.yaml", "latency-floor: 300ms", "latency-floor: soon")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "features/"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (pytest.ExitCode.USAGE_ERROR, "")
    head, told = filter(None, ended.stderr.splitlines())
    assert head == "ERROR: no feature was begun"
    assert "environments.local.canary.latency-floor: got 'soon', needs" in told


WAY_BACK = ("features/07-rollback.feature", "--env=prod")


@pytest.mark.parametrize(
    ("asked", "is_told"),
    [(WAY_BACK, False), (("features/", "--env=prod"), True)],
    ids=["way back", "release"],
)
def test_another_environment_holds_up_a_release_and_no_way_back(
    project: Project,
    asked: tuple[str, ...],
    is_told: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    project.replace("release.yaml", "latency-floor: 300ms", "latency-floor: soon")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *asked, "--no-html"],
        cwd=project.folder,
        env={**os.environ, "CLOUD_RUN_EMULATOR_HOST": "127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("environments.local.canary.latency-floor" in ended.stderr) is is_told
    assert (ended.returncode == pytest.ExitCode.USAGE_ERROR) is is_told, ended.stdout


HEAVY = (
    *("docker", "google", "grafana_foundation_sdk", "grpc", "hypothesis", "matplotlib", "numpy"),
    *("playwright", "requests", "rich", "schemathesis", "testcontainers", "urllib3", "websockets"),
    *("cryptography", "detect_secrets", "httpx", "jinja2", "prometheus_client", "ruamel"),
)
COLLECTED = f"""
import sys, pytest
status = pytest.main(["features/", "--collect-only", "-qq"])
print("loaded:", *sorted(sys.modules.keys() & set({HEAVY!r})))
sys.exit(status)
"""


def test_what_only_a_release_needs_is_not_imported_to_collect_it(project: Project) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", COLLECTED],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(project.folder)},
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1].split() == ["loaded:"]
