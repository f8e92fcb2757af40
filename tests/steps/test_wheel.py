"""What `pip install` brings: with it, features alone are a release."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from shutil import copytree

import pytest

ROOT = Path(__file__).parents[2]
OF_THE_SERVICE = re.compile(
    r"a candidate with the fault|a candidate that makes|a candidate whose migrations|session"
)
"""Sentences of this repository's own steps/."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel, and the dependencies of this one.

    What a folder is told of by a file `.pth` reads no such file itself: our sources stay outside.
    """
    folder = tmp_path_factory.mktemp("wheel")
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*wheel, "--wheel-dir", folder, ROOT], check=True)
    environment = folder / "environment"
    venv.create(environment, symlinks=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", packages, *folder.glob("*.whl")], check=True)
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "dependencies.pth").write_text("\n".join(ours))
    return environment / "bin/python"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Features, release.yaml and env.yaml, and nothing else: no conftest.py, no pytest.ini."""
    copytree(ROOT / "features", tmp_path / "features")
    for path in (tmp_path / "features").glob("*.feature"):
        blocks = re.split(r"\n(?=\n  [@S])", path.read_text("utf-8"))
        generic = [block for block in blocks if not OF_THE_SERVICE.search(block)]
        path.write_text("\n".join(generic), "utf-8")
    for name in ("release.yaml", "env.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    return tmp_path


def collect(python: Path, project: Path) -> "subprocess.CompletedProcess[str]":
    names = ("PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_PLUGINS")
    return subprocess.run(
        [python, "-m", "pytest", "features/", "--collect-only", "--quiet"],
        cwd=project,
        env={name: value for name, value in os.environ.items() if name not in names},
        capture_output=True,
        text=True,
        check=False,
    )


def test_init_and_check_come_along_with_all_that_they_write(python: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text('FROM scratch\nEXPOSE 8080\nCMD ["x"]\n')
    for words in (("init", "--no-observe"), ("check",)):
        ended = subprocess.run(
            [python, "-m", "greenrun_cli", *words],
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr


def test_the_sentences_of_the_package_are_those_of_the_wheel(python: Path, project: Path) -> None:
    where = "import greenrun.steps.endpoints as module; print(module.__file__)"
    found = subprocess.run([python, "-c", where], cwd=project, capture_output=True, check=True)
    assert Path(found.stdout.decode().strip()).is_relative_to(python.parents[1])


def test_features_alone_bind_every_sentence(python: Path, project: Path) -> None:
    ended = collect(python, project)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "The candidate proves itself on a growing share of users[local]" in ended.stdout


@pytest.mark.parametrize("words", [("greenrun.setup",), ("greenrun_cli", "machine")])
def test_the_set_up_of_a_machine_comes_along(
    python: Path, project: Path, words: tuple[str, ...]
) -> None:
    ended = subprocess.run(
        [python, "-m", *words, "engine"],
        cwd=project,
        env={**os.environ, "DOCKER_HOST": f"unix://{project}/none.sock"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr.splitlines()) == (
        1,
        [
            f"no Docker engine answers at DOCKER_HOST=unix://{project}/none.sock",
            "hint: start it, or unset DOCKER_HOST",
        ],
    )


def test_a_sentence_of_somebody_s_own_is_told_by_its_place(python: Path, project: Path) -> None:
    (project / "features/09-own.feature").write_text(
        "Feature: Own\n\n  Scenario: Own\n    Then the moon is full\n", "utf-8"
    )
    ended = collect(python, project)

    assert ended.returncode == 4
    assert 'features/09-own.feature:4: "Then the moon is full" has no step definition' in (
        ended.stderr
    )
