"""`greenrun check`: everything that is wrong with what people wrote, and nothing is run."""

from pathlib import Path

import pytest

from tests.command_line.conftest import Greenrun

ROOT = Path(__file__).parents[2]
RELEASE = """\
service: shop
build: {repository: registry.test/shop}
environments:
  local: {project: rehearsal, region: europe-west1}
"""
FEATURE = """\
Feature: One release at a time

  Scenario: Nobody else releases
    When the release claims the service
    Then nobody else can release it
"""
REST = """
  Scenario: The candidate is promoted
    When the service is read as it serves now
    And the image is built
    And the candidate is deployed
    And the candidate is promoted
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "features").mkdir()
    (tmp_path / "features/01.feature").write_text(FEATURE + REST)
    (tmp_path / "release.yaml").write_text(RELEASE)
    (tmp_path / "env.yaml").write_text("{}\n")
    return tmp_path


def test_a_release_that_could_begin_is_told_in_one_line(project: Path, greenrun: Greenrun) -> None:
    ended = greenrun("check")

    told = "release.yaml, env.yaml, every sentence and every table can be read\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, told, "")
    assert sorted(path.name for path in project.iterdir()) == [
        "env.yaml",
        "features",
        "release.yaml",
    ]


def test_settings_sentences_and_tables_are_complained_of_at_once(
    project: Path, greenrun: Greenrun
) -> None:
    (project / "release.yaml").write_text(RELEASE.replace("europe-west1", "Europe"))
    table = "\n    And the candidate answers\n      | request |\n      | GO /    |\n"
    (project / "features/01.feature").write_text(FEATURE.replace("claims", "wants") + table)

    ended = greenrun("check")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines() == [
        (
            "release.yaml:4: environments.local.region: got 'Europe', "
            "needs a region such as europe-west1"
        ),
        (
            'features/01.feature:4: "When the release wants the service" has no step definition; '
            'nearest: "the release claims the service"'
        ),
        (
            "features/01.feature:9:9: table of endpoints: request: got 'GO /', "
            "needs a method and a path, such as GET /api/health"
        ),
    ]


def test_a_folder_that_is_no_release_says_what_it_lacks(greenrun: Greenrun) -> None:
    ended = greenrun("check")

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[0] == (
        "release.yaml: whole file: got no readable file (No such file or directory), "
        "needs the file release.yaml beside release.yaml"
    )


def test_features_that_are_missing_are_told(project: Path, greenrun: Greenrun) -> None:
    (project / "features/01.feature").unlink()

    ended = greenrun("check")

    assert (ended.returncode, ended.stderr) == (
        1,
        "features/: got no feature, needs at least one; hint: greenrun init\n",
    )


def test_a_conftest_that_cannot_be_imported_is_told(project: Path, greenrun: Greenrun) -> None:
    (project / "conftest.py").write_text("import nothing_of_that_name\n")

    ended = greenrun("check")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "nothing_of_that_name" in ended.stderr


def test_a_release_that_would_promote_nothing_is_told(project: Path, greenrun: Greenrun) -> None:
    (project / "release.yaml").write_text(
        f"{RELEASE}  prod: {{project: shop-1, region: r-east1}}\n"
    )
    (project / "features/01.feature").write_text(FEATURE)

    ended = greenrun("check")

    assert ended.returncode == 1
    told = ended.stderr.splitlines()[-1]
    assert "got no scenario that brings a promotion on local, prod, needs" in told


def test_this_repository_could_begin(greenrun: Greenrun) -> None:
    ended = greenrun("check", at=ROOT)

    assert (ended.returncode, ended.stderr) == (0, "")
