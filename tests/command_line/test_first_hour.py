"""The pages of the first hour: what they tell people to type, and what they say comes of it."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from greenrun.config import load_plan
from greenrun.plugin import options
from greenrun_cli.init.facts import Facts
from greenrun_cli.init.reading import procedure
from greenrun_cli.main import main
from tests.command_line.conftest import Greenrun

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md"])
TEXTS = {page.name: page.read_text("utf-8") for page in PAGES}
AGENTS = (ROOT / "src/greenrun_cli/init/templates/AGENTS.md").read_text("utf-8")
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
IN_A_BLOCK = re.compile(r"(?m)^ *(?:- run: |- |\$ )?((?:greenrun|pytest features/)[^#\n]*)")
IN_A_LINE = re.compile(r"`((?:greenrun|pytest features/)[^`\n]*)`")


def typed(text: str) -> list[str]:
    """What a page tells people to type."""
    bodies = "\n".join(body for _, body in BLOCK.findall(text))
    return IN_A_BLOCK.findall(bodies) + IN_A_LINE.findall(BLOCK.sub("", text))


TYPED = [
    (name, line) for name, text in [*TEXTS.items(), ("AGENTS.md", AGENTS)] for line in typed(text)
]


def blocks(page: str, language: str) -> list[str]:
    return [body for said, body in BLOCK.findall(TEXTS[page]) if said == language]


def load(text: str) -> object:
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize(("page", "line"), [one for one in TYPED if one[1].startswith("greenrun ")])
def test_a_command_of_greenrun_exists_with_its_options(page: str, line: str) -> None:
    _, name, *words = line.split()
    assert name in main.commands, page
    known = {text for each in main.commands[name].params for text in each.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, page


@pytest.mark.parametrize(("page", "line"), [one for one in TYPED if one[1].startswith("pytest")])
def test_an_option_of_a_release_exists(page: str, line: str) -> None:
    given = {word.partition("=")[0] for word in line.split() if word.startswith("--")}
    declared = Path(options.__file__).read_text("utf-8")
    assert [each for each in given if f'"{each}"' not in declared] == [], page


def test_the_first_hour_begins_with_commands_that_exist() -> None:
    (script,) = [body for said, body in BLOCK.findall(TEXTS["first-release.md"]) if not said]
    commands = re.findall(r"(?m)^greenrun (\w+)", script)
    assert commands == ["machine", "init", "check"]
    assert set(commands) <= set(main.commands)


def test_the_script_of_the_tutorial_becomes_what_it_says(
    tmp_path: Path, greenrun: Greenrun
) -> None:
    script, canary = blocks("tutorial.md", "bash")[0], blocks("tutorial.md", "yaml")[0]
    (tmp_path / "deploy.sh").write_text(script)
    (tmp_path / "Dockerfile").write_text('FROM scratch\nEXPOSE 8080\nCMD ["x"]\n')

    ended = greenrun("init", "--from", "deploy.sh", "--no-observe")

    assert (ended.returncode, "not read" in ended.stderr) == (0, False)
    release = load((tmp_path / "release.yaml").read_text())
    assert isinstance(release, dict)
    assert release["deploy"] == {
        "memory": "1Gi",
        "concurrency": 40,
        "allow-unauthenticated": True,
        "port": 8080,
    }
    assert release["environments"]["prod"] == {"project": "shop-123", "region": "europe-west1"}
    assert load((tmp_path / "env.yaml").read_text()) == {"LOG_LEVEL": "info"}
    endpoints = (tmp_path / "features/05-endpoints.feature").read_text()
    assert "| GET /health | status = ok |" in endpoints
    section = load(canary)
    assert isinstance(section, dict)
    assert section["canary"]["steps"] == release["canary"]["steps"]
    text = (tmp_path / "release.yaml").read_text()
    begin, end = text.index("canary:\n"), text.index("environments:\n")
    (tmp_path / "release.yaml").write_text(text[:begin] + canary + text[end:])
    assert load_plan(tmp_path, "prod").canary.probes_per_second == 10


def test_the_recipes_of_ci_are_yaml_and_release() -> None:
    recipes = [load(body) for body in blocks("ci.md", "yaml")]
    assert len(recipes) == 3
    assert all("pytest features/" in str(recipe) for recipe in recipes)


def test_what_takes_the_place_of_a_procedure_fits_on_a_screen() -> None:
    assert len(AGENTS.splitlines()) <= 40
    assert max(map(len, AGENTS.splitlines())) <= 200


def test_each_exit_status_that_agents_are_told_of_is_one_of_the_record() -> None:
    told = re.findall(r"(?m)^\| (\d[\d, ]*) \|", AGENTS)
    assert told == re.findall(r"(?m)^\| (\d[\d, ]*) \|", TEXTS["record.md"])


MESSAGES = re.findall(r"(?m)^\| ([^|]+?) \| [^|]+ \| [^|]+ \|$", TEXTS["troubleshooting.md"])[1:]
SOURCES = " ".join(
    re.sub(r"[\"']\s*\n\s*f?[\"']", "", path.read_text("utf-8"))
    for path in (ROOT / "src").rglob("*.py")
)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_of_the_troubleshooting_is_one_that_is_said(message: str) -> None:
    assert all(part.strip() in SOURCES for part in message.split("..."))


def test_a_workflow_of_ours_says_nothing_that_init_would_read(tmp_path: Path) -> None:
    """A release by greenrun is no procedure any more."""
    (tmp_path / "release.yml").write_text(blocks("ci.md", "yaml")[0])
    facts = Facts()

    procedure.read(tmp_path / "release.yml", facts)

    assert facts.said == {}
