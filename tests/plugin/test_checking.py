"""A release is checked before anybody performs it: its sentences, and where they lead."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rehearsal.project import Project

CHECK = """
import json, sys
from pathlib import Path
from greenrun.plugin.plugin import complaints
print(json.dumps(complaints(Path(sys.argv[1]), sys.argv[2])))
"""
NOWHERE = "no scenario before it says"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.new(tmp_path / "project", "greenrun-test/emergence-app")


def checked(project: Project, environment: str = "prod") -> list[str]:
    """What a check of the project says, from another directory and in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", CHECK, str(project.folder), environment],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told: list[str] = json.loads(ended.stdout)
    return told


LACKS = {
    "01-preflight": [
        ("features/03-migration.feature", "a baseline on local"),
        ("features/03-migration.feature", "the lock on local"),
        ("features/04-deploy.feature", "a baseline on local"),
        ("features/04-deploy.feature", "the lock on local"),
        ("features/06-canary.feature", "the lock on local"),
        ("features/06-canary.feature", "a baseline on local"),
        ("features/02-build.feature", "the lock on prod"),
        ("features/08-record.feature", "the lock on prod"),
        ("features/08-record.feature", "a baseline on prod"),
    ],
    "02-build": [
        ("features/03-migration.feature", "an image on local"),
        ("features/04-deploy.feature", "an image on local"),
        ("features/06-canary.feature", "an image on local"),
        ("features/07-rollback.feature", "an image on local"),
        ("features/03-migration.feature", "an image in the registry on prod"),
        ("features/04-deploy.feature", "an image in the registry on prod"),
    ],
    "03-migration": [],
    "04-deploy": [
        ("features/05-endpoints.feature", "a candidate on local"),
        ("features/06-canary.feature", "a candidate on local"),
        ("features/08-record.feature", "a candidate on prod"),
    ],
    "05-endpoints": [],
    "07-rollback": [],
    "08-record": [],
}
"""What the others lack where one is left out: each is told, and nothing begins."""


@pytest.mark.parametrize("feature", LACKS)
def test_a_feature_that_is_left_out_is_missed_by_those_who_need_it_alone(
    project: Project, feature: str
) -> None:
    (project.folder / f"features/{feature}.feature").unlink()

    told = checked(project)

    places = [(line.partition(":")[0], line.partition(" needs ")[2]) for line in told]
    assert [(file, needs.partition(": no")[0]) for file, needs in places] == LACKS[feature]


def test_without_the_canary_nothing_is_promoted(project: Project) -> None:
    (project.folder / "features/06-canary.feature").unlink()

    [told] = checked(project)
    assert told == (
        "what was selected is no release: got no scenario that brings a promotion on local, prod, "
        'needs a scenario that says "the candidate is promoted"'
    )


def test_nothing_is_said_of_a_release_that_can_begin(project: Project) -> None:
    assert checked(project, "local") == []
    assert not project.reports.exists()


def test_no_feature_is_no_release(project: Project) -> None:
    for feature in (project.folder / "features").glob("*.feature"):
        feature.unlink()

    assert checked(project) == [f"{project.folder}/features: got no scenario, needs one"]


def test_what_cannot_be_imported_is_told(project: Project) -> None:
    project.append("conftest.py", "\nimport no_such_module\n")

    assert any("no_such_module" in line for line in checked(project))
