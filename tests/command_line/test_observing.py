"""`greenrun init` starts the image: what it answers is promised, and holds in a rehearsal."""

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from tests.command_line.conftest import Greenrun

SERVICES = Path(__file__).parents[1] / "services"
OURS = ignore_patterns("features", "release.yaml", "env.yaml", "steps", "conftest.py")

pytestmark = pytest.mark.docker


@pytest.fixture
def stranger(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A service of some kind as its people have it: a Dockerfile and its sources."""
    return Path(copytree(SERVICES / request.param, tmp_path / request.param, ignore=OURS))


def promised(folder: Path) -> list[list[str]]:
    """The rows of all tables about endpoints, without their limits."""
    text = (folder / "features/05-endpoints.feature").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return [[cell for cell in row if not re.fullmatch(r"20|\d+ ms", cell)] for row in rows if row]


@pytest.mark.parametrize(
    ("stranger", "rows", "probes"),
    [
        (
            "static",
            [
                ["request", "headers", "requests", "p95 at most"],
                ["GET /", "content-type ~ text/html"],
            ],
            ["GET /"],
        ),
        (
            "node",
            [
                ["request", "headers", "body", "requests", "p95 at most"],
                ["GET /health", "content-type ~ application/json", "status = ok"],
            ],
            ["GET /health"],
        ),
        (
            "binary",
            [
                ["request", "headers", "body", "requests", "p95 at most"],
                ["GET /ready", "content-type ~ application/json", "ready = true"],
            ],
            ["GET /ready"],
        ),
        (
            "silent",
            [
                ["request", "status", "headers", "body", "requests", "p95 at most"],
                ["GET /", "404", "content-type ~ application/json", "has rate"],
            ],
            [],
        ),
    ],
    indirect=["stranger"],
)
def test_what_answers_is_promised(
    stranger: Path, greenrun: Greenrun, rows: list[list[str]], probes: list[str]
) -> None:
    ended = greenrun("init", "--allow-unauthenticated", at=stranger)

    assert ended.returncode == 0, ended.stderr
    assert promised(stranger) == rows
    release = (stranger / "release.yaml").read_text()
    assert re.findall(r"(?m)^    - (GET .*)$", release) == probes
    checked = greenrun("check", at=stranger)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("stranger", ["push"], indirect=True)
def test_what_takes_messages_is_sent_one_in_a_rehearsal_alone(
    stranger: Path, greenrun: Greenrun
) -> None:
    greenrun("init", "--allow-unauthenticated", at=stranger)

    text = (stranger / "features/05-endpoints.feature").read_text()
    assert "| GET /   | 405 " in text
    sent = text[text.index("  @rehearsal") :]
    assert re.search(r'\| POST /  \| \{"message": .* \| 204    \|', sent)


@pytest.mark.parametrize("stranger", ["node"], indirect=True)
def test_what_a_procedure_expects_and_nobody_saw_is_told_below_the_table(
    stranger: Path, greenrun: Greenrun
) -> None:
    (stranger / "deploy.sh").write_text(
        "gcloud run deploy shop --allow-unauthenticated\n"
        'curl $URL/health  # expected: {"status": "ok", "database": "up"}\n'
        "curl $URL/missing\n"
    )

    greenrun("init", "--from", "deploy.sh", at=stranger)

    text = (stranger / "features/05-endpoints.feature").read_text()
    assert [line.strip() for line in text.splitlines() if "#" in line] == [
        "# deploy.sh:2: GET /health: did not hold: database = up",
        "# deploy.sh:3: GET /missing: got 404, the procedure expects 200",
    ]


@pytest.mark.parametrize("stranger", ["node"], indirect=True)
def test_an_image_that_does_not_start_is_told_and_nothing_is_written(
    stranger: Path, greenrun: Greenrun
) -> None:
    (stranger / "server.js").write_text("console.error('no database'); process.exit(1);\n")
    before = sorted(path.name for path in stranger.iterdir())

    ended = greenrun("init", at=stranger)

    assert ended.returncode == 1
    assert "failed to start and listen" in ended.stderr
    assert "no database" in ended.stderr
    assert "--no-observe" in ended.stderr
    assert sorted(path.name for path in stranger.iterdir()) == before


@pytest.mark.parametrize("stranger", ["node"], indirect=True)
def test_what_init_writes_rehearses_at_the_first_try(stranger: Path, greenrun: Greenrun) -> None:
    greenrun("init", at=stranger)
    author = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "-m", "first")):
        subprocess.run(["git", *author, *words], cwd=stranger, check=True)

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "features/", "--no-html", "-m", "not drill"],
        cwd=stranger,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout
    assert "The rehearsal passed" in ended.stdout
