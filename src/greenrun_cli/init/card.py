"""The files that make a release of a service: what each of them says."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from greenrun.model.plan import TAG_FILE
from greenrun_cli.init.endpoints import Endpoints
from greenrun_cli.init.facts import Facts
from greenrun_cli.init.observation import Observation
from greenrun_cli.init.settings import env_yaml, release_yaml
from greenrun_cli.vocabulary import aligned

_FEATURES = ("01-preflight", "02-build", "04-deploy", "05-endpoints", "06-canary")
_FEATURES_OF_ALL = ("07-rollback", "08-record")
NO_FEATURES = "norecursedirs = features .* *.egg build dist node_modules venv"
_CONFTEST = '''"""Sentences and hooks of this service's own; greenrun's come with the package.

    pytest_plugins = ["steps.orders"]

lets features say what steps/orders.py defines.
"""
'''
_IGNORED = ("reports/", TAG_FILE)


def card(facts: Facts, seen: Observation | None, folder: Path) -> dict[str, str]:
    """The text of every file, by its path; what is added to files that may exist is in `added`."""
    files = {"release.yaml": release_yaml(facts, seen)}
    if facts.variables:
        files["env.yaml"] = env_yaml(facts)
    files |= {f"features/{name}.feature": text for name, text in _features(facts, seen).items()}
    files["conftest.py"] = _CONFTEST
    if not configures_pytest(folder):
        files["pytest.ini"] = _pytest_ini(folder)
    return files


def added(facts: Facts) -> dict[str, str]:
    """What files get at their end, as far as they do not have it: lines, or a section."""
    return {
        ".gitignore": "".join(f"{line}\n" for line in _IGNORED),
        ".dockerignore": f"{_IGNORED[0]}\n",
        "AGENTS.md": _environment().get_template("AGENTS.md").render(service=facts.text("service")),
    }


def _environment() -> Environment:
    loader = PackageLoader("greenrun_cli.init", "templates")
    made = Environment(  # noqa: S701 - what is made is no HTML
        loader=loader, undefined=StrictUndefined, keep_trailing_newline=True
    )
    made.globals["table"] = _table
    return made


def _table(rows: Sequence[Sequence[str]], aside: Sequence[str] = ()) -> str:
    """A table without columns that say nothing, and below it what was left out of it."""
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    lines = aligned([list(row) for row in zip(*columns, strict=True)], indent="      ")
    return "\n".join([*lines, *(f"      # {text}" for text in aside)])


def _features(facts: Facts, seen: Observation | None) -> Mapping[str, str]:
    environment, endpoints = _environment(), Endpoints(facts, seen)
    context = {
        "preflight": _preflight(facts),
        "logs": seen.log_is_clean if seen else True,
        "timed": seen is not None,
        "endpoints": endpoints.rows,
        "aside": endpoints.aside,
        "strangers": endpoints.strangers,
        "pushed": endpoints.pushed,
        "service": endpoints.of_the_service,
        "objectives": endpoints.objectives,
        "metrics_path": seen.metrics_path if seen else "",
        "families": endpoints.families,
        "fewest_families": seen.fewest_families if seen else 0,
        "openapi": seen.openapi if seen else "",
    }
    names = (*_FEATURES, *_FEATURES_OF_ALL)
    return {name: environment.get_template(f"{name}.feature").render(context) for name in names}


def _preflight(facts: Facts) -> list[list[str]]:
    everywhere, cloud = "everywhere", "cloud"
    rows = [
        ["the container engine is recent enough", everywhere],
        ["everything that the image is built from is there", everywhere],
        ["neither env.yaml nor what the image is built from contains a secret", everywhere],
        ["every secret that the service reads exists", everywhere] if facts.secrets else [],
        ["the tree is clean, on its branch and in step with its remote", cloud],
        ["credentials exist, with every permission that the release needs", cloud],
        ["nobody else releases the service", cloud],
        ["the service can be reached by those who should reach it", cloud],
        ["one revision serves every user", cloud],
        ["the baseline could start again", cloud],
        ["every probe of the canary is answered as it should be", everywhere],
        ["every step of the canary could see a regression", everywhere],
    ]
    return [["what", "where"], *filter(None, rows)]


def configures_pytest(folder: Path) -> str:
    """The file that a pytest.ini would hide from pytest; empty where there is none."""
    marks = {"pyproject.toml": "[tool.pytest", "tox.ini": "[pytest]", "setup.cfg": "[tool:pytest]"}
    return next((name for name, mark in marks.items() if _has(folder / name, mark)), "")


def _has(file: Path, mark: str) -> bool:
    return file.is_file() and mark in file.read_text("utf-8", errors="replace")


def _pytest_ini(folder: Path) -> str:
    tests = next((name for name in ("tests", "test") if (folder / name).is_dir()), "")
    return "\n".join(
        (
            "# A bare `pytest` never releases: features run by their name: `pytest features/`.",
            "[pytest]",
            *([f"testpaths = {tests}"] if tests else []),
            NO_FEATURES,
            "",
        )
    )
