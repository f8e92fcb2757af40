"""`greenrun init`: a Dockerfile becomes a release; what exists stays as it is."""

from pathlib import Path

import pytest

from tests.command_line.conftest import Greenrun

DOCKERFILE = 'FROM python:3.11-slim\nCOPY . .\nEXPOSE 5000\nCMD ["python", "serve.py"]\n'
FEATURES = [
    "01-preflight.feature",
    "02-build.feature",
    "04-deploy.feature",
    "05-endpoints.feature",
    "06-canary.feature",
    "07-rollback.feature",
    "08-record.feature",
]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A folder as somebody has it who never heard of greenrun."""
    folder = tmp_path / "Web Shop 2"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "serve.py").write_text("")
    return folder


def texts(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def test_a_dockerfile_is_enough(service: Path, greenrun: Greenrun) -> None:
    ended = greenrun("init", "--no-observe", at=service)

    assert (ended.returncode, ended.stdout) == (0, "")
    assert sorted(path.name for path in (service / "features").iterdir()) == FEATURES
    assert "service: web-shop\n" in (service / "release.yaml").read_text()
    assert "  port: 5000\n" in (service / "release.yaml").read_text()
    preflight = (service / "features/01-preflight.feature").read_text().splitlines()
    asked = [line for line in preflight if line.lstrip().startswith("|")]
    assert len(asked) == len(set(asked))
    checked = greenrun("check", at=service)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_what_exists_is_left_as_it_is_and_told(service: Path, greenrun: Greenrun) -> None:
    (service / "release.yaml").write_text("service: mine\n")
    (service / "features").mkdir()
    (service / "features/05-endpoints.feature").write_text("Feature: Mine\n")
    before = texts(service)

    ended = greenrun("init", "--no-observe", at=service)

    assert texts(service).items() >= before.items()
    assert "left as it is: release.yaml, features/05-endpoints.feature\n" in ended.stderr


def test_a_second_time_changes_nothing(service: Path, greenrun: Greenrun) -> None:
    greenrun("init", "--no-observe", at=service)
    before = texts(service)

    ended = greenrun("init", "--no-observe", at=service)

    assert ended.returncode == 0
    assert texts(service) == before
    assert "written" not in ended.stderr


def test_lines_that_a_file_lacks_are_added_at_its_end(service: Path, greenrun: Greenrun) -> None:
    (service / ".gitignore").write_text("build_tag.txt\n*.log")
    (service / "AGENTS.md").write_text("# For agents\n\nBe kind.\n")

    ended = greenrun("init", "--no-observe", at=service)

    assert (service / ".gitignore").read_text() == "build_tag.txt\n*.log\nreports/\n"
    agents = (service / "AGENTS.md").read_text()
    assert agents.startswith("# For agents\n\nBe kind.\n\n## Releases of web-shop\n")
    assert "added to: .gitignore, AGENTS.md\n" in ended.stderr


def test_what_would_be_written_is_shown_and_not_written(service: Path, greenrun: Greenrun) -> None:
    (service / "conftest.py").write_text("mine = True\n")
    before = texts(service)

    ended = greenrun("init", "--no-observe", "--diff", at=service)

    assert texts(service) == before
    assert "--- /dev/null\n+++ b/release.yaml\n" in ended.stdout
    assert "+service: web-shop\n" in ended.stdout
    assert "--- a/conftest.py\n+++ b/conftest.py\n" in ended.stdout


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '-q'\n"),
        ("setup.cfg", "[tool:pytest]\n"),
        ("tox.ini", "[pytest]\n"),
    ],
)
def test_a_configuration_of_pytest_is_not_hidden_by_another(
    service: Path, greenrun: Greenrun, file: str, text: str
) -> None:
    (service / file).write_text(text)

    ended = greenrun("init", "--no-observe", at=service)

    assert not (service / "pytest.ini").exists()
    assert f"{file} configures pytest: add `norecursedirs = features" in ended.stderr


def test_a_bare_pytest_runs_no_feature(
    service: Path, greenrun: Greenrun, pytester: pytest.Pytester
) -> None:
    greenrun("init", "--no-observe", at=service)
    (service / "test_own.py").write_text("def test_own(): ...\n")
    pytester.chdir()

    bare = pytester.runpytest_subprocess(f"--rootdir={service}", service, "--collect-only", "-q")
    named = pytester.runpytest_subprocess(
        f"--rootdir={service}", service / "features", "--collect-only", "-q", "--no-html"
    )

    assert "features" not in bare.stdout.str()
    assert "The candidate starts without traffic[local]" in named.stdout.str()


@pytest.mark.parametrize(
    ("dockerfile", "port"),
    [
        ("FROM a\nEXPOSE 80/tcp\n", 80),
        ("FROM a\nENV PORT=3000\nEXPOSE $PORT\n", 3000),
        ("FROM a AS build\nEXPOSE 1\nFROM b\nEXPOSE 5000\n", 5000),
        ("FROM a\nENV PORT 9000\n", 9000),
    ],
)
def test_the_port_is_what_the_last_stage_tells(
    service: Path, greenrun: Greenrun, dockerfile: str, port: int
) -> None:
    (service / "Dockerfile").write_text(dockerfile)

    greenrun("init", "--no-observe", at=service)

    assert f"\n  port: {port}\n" in (service / "release.yaml").read_text()


def test_a_folder_without_a_dockerfile_is_refused_in_one_line(
    tmp_path: Path, greenrun: Greenrun
) -> None:
    ended = greenrun("init")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[0].startswith("Error: nothing was written: could not find")
    assert list(tmp_path.iterdir()) == []


def test_without_an_engine_nothing_is_written(service: Path, greenrun: Greenrun) -> None:
    before = texts(service)

    ended = greenrun("init", at=service, DOCKER_HOST=f"unix://{service}/none.sock")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "could not reach the Docker engine" in ended.stderr
    assert "--no-observe" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert texts(service) == before
