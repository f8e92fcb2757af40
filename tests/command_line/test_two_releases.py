"""Two services of one repository: a folder each, and a run each."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line.conftest import Greenrun

Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def repository(tmp_path: Path, greenrun: Greenrun) -> Path:
    for name in ("api", "web"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text('FROM scratch\nEXPOSE 8080\nCMD ["x"]\n')
        assert greenrun("init", "--no-observe", name).returncode == 0
    return tmp_path


def collect(repository: Path, *arguments: str) -> Ran:
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, "--collect-only", "-q", "--no-html"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["api", "web"])
def test_each_is_released_from_the_root_by_its_folder(repository: Path, name: str) -> None:
    ended = collect(repository, f"{name}/features/")

    assert ended.returncode == 0, ended.stderr
    assert "The candidate starts without traffic[local]" in ended.stdout


def test_where_it_has_no_configuration_of_pytest_the_root_is_named(repository: Path) -> None:
    (repository / "api/pytest.ini").unlink()

    ended = collect(repository, "api/features/", "--rootdir=api")

    assert ended.returncode == 0, ended.stderr
    assert "The candidate starts without traffic[local]" in ended.stdout


def test_both_in_one_run_are_refused(repository: Path) -> None:
    ended = collect(repository, "api/features/", "web/features/")

    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert (
        f"web/features/: got features outside of {repository / 'api'}, "
        "needs those of one release in a run"
    ) in ended.stderr


@pytest.mark.usefixtures("repository")
def test_each_is_checked_by_its_folder(greenrun: Greenrun) -> None:
    checked = greenrun("check", "web")

    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_release_around_them_is_its_own(repository: Path, greenrun: Greenrun) -> None:
    (repository / "Dockerfile").write_text('FROM scratch\nEXPOSE 8080\nCMD ["x"]\n')
    assert greenrun("init", "--no-observe", ".").returncode == 0
    ended = collect(repository, "features/")
    assert ended.returncode == 0, ended.stderr
    assert "api/" not in ended.stdout
    whole = collect(repository, ".", "--rootdir=.")
    assert "api/features" not in whole.stdout + whole.stderr


def test_the_features_of_one_are_no_part_of_the_release_around_it(
    repository: Path, greenrun: Greenrun
) -> None:
    (repository / "Dockerfile").write_text('FROM scratch\nEXPOSE 8080\nCMD ["x"]\n')
    assert greenrun("init", "--no-observe", ".").returncode == 0
    refused = collect(repository, "api/features/", "--rootdir=.")
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert "got features of the release in" in refused.stderr
