"""The files that make a release of a service: what each of them says."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from greenrun.model.plan import TAG_FILE
from greenrun_cli.init.endpoints import Endpoints
from greenrun_cli.init.facts import Facts
from greenrun_cli.init.observation import Observation
from greenrun_cli.schema import ADDRESS
from greenrun_cli.vocabulary import aligned

_FEATURES = ("01-preflight", "02-build", "04-deploy", "05-endpoints", "06-canary")
_FEATURES_OF_ALL = ("07-rollback", "08-record")
_LOCAL_CPU, _LOCAL_MEMORY = 1, "4Gi"
NO_FEATURES = "norecursedirs = features .* *.egg build dist node_modules venv"
_REGION, _PROJECT = "europe-west1", "your-project"
_PLAIN = re.compile(r"[A-Za-z0-9/][^\n\"'#{}\[\],&*!|>@`]*")
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
        ["nobody else releases the service", cloud],
        ["the service can be reached by those who should reach it", cloud],
        ["one revision serves every user", cloud],
        ["the baseline could start again", cloud],
        ["every probe of the canary is answered as it should be", everywhere],
        ["every step of the canary could see a regression", everywhere],
    ]
    return [["what", "where"], *filter(None, rows)]


def release_yaml(facts: Facts, seen: Observation | None = None) -> str:
    """What is released, and where to."""
    deploy = dict(facts.below("deploy"))
    secrets = {name: said.value for name, said in facts.secrets.items()}
    if secrets:
        deploy["update-secrets"] = secrets
    if seen and seen.health_path and "startup-probe" not in deploy:
        probe = {"path": seen.health_path, "period": "2s", "failure-threshold": 120}
        deploy["startup-probe"] = probe
    if seen and seen.ready_timeout:
        deploy["ready-timeout"] = seen.ready_timeout
    lines = [
        f"# yaml-language-server: $schema={ADDRESS}",
        "# What is released, and where to. Under `deploy` the keys are the flags of",
        "# `gcloud run deploy`; what is not said is kept as the service has it.",
        f"service: {facts.text('service')}",
        "",
        *_written("build", {"repository": _repository(facts), **dict(facts.below("build"))}),
        "",
        *(_written("deploy", deploy) if deploy else ()),
        *([""] if deploy else ()),
        *_written("canary", _canary(facts, seen)),
        "",
        "environments:",
        *_local(facts, deploy, seen),
        *_prod(facts),
    ]
    return "\n".join(lines) + "\n"


def _repository(facts: Facts) -> str:
    place = f"{facts.text('region', _REGION)}-docker.pkg.dev/{facts.text('project', _PROJECT)}"
    service = facts.text("service")
    return facts.text("build.repository", f"{place}/{service}/{service}")


def _canary(facts: Facts, seen: Observation | None) -> dict[str, object]:
    steps = {"steps": sorted(facts.shares) or [10, 50]}
    if seen:
        return {**steps, **seen.probes(most=10)}
    called = list(dict.fromkeys(f"GET {call.path}" for call in facts.calls if call.is_plain))[:3]
    return {**steps, **({"probes": called} if called else {})}


def _local(facts: Facts, deploy: Mapping[str, object], seen: Observation | None) -> Sequence[str]:
    """Smaller than production where this machine may be, and soon sure."""
    canary = {
        "max-duration": "2m",
        "beta": "20 %",
        "max-error-increase": "2 %",
        "latency-floor": f"{seen.latency_floor_milliseconds if seen else 300}ms",
        "underpowered": "lengthen",
    }
    own: dict[str, object] = {}
    if _many(deploy.get("cpu")):
        own["cpu"] = _LOCAL_CPU
        own["memory"] = (
            _LOCAL_MEMORY if _large(deploy.get("memory")) else deploy.get("memory", "512Mi")
        )
    told = {"project": "rehearsal", "region": facts.text("region", _REGION)}
    local = {**told, **({"deploy": own} if own else {}), "canary": canary}
    return [f"  {line}" for line in _written("local", local)]


def _many(cpu: object) -> bool:
    return str(cpu) in {"2", "4", "6", "8"}


def _large(memory: object) -> bool:
    amount = re.fullmatch(r"(\d+)(Gi|G)", str(memory))
    return amount is not None and int(amount[1]) > 4


def _prod(facts: Facts) -> Sequence[str]:
    known = {key: facts.text(key) for key in ("project", "region") if facts.text(key)}
    if len(known) == 2:
        return [f"  {line}" for line in _written("prod", known)]
    return [
        "  # Where to, once it is known; and build.repository above is where images go:",
        "  # prod:",
        f"  #   project: {known.get('project', _PROJECT)}",
        f"  #   region: {known.get('region', _REGION)}",
    ]


def env_yaml(facts: Facts) -> str:
    """The plain variables, as `gcloud run deploy --env-vars-file` takes them."""
    head = "# Plain variables, as `gcloud run deploy --env-vars-file` takes them. No secrets.\n"
    told = {name: str(said.value) for name, said in facts.variables.items()}
    lines = (f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in told.items())
    return head + "".join(lines)


def _written(key: str, value: object) -> list[str]:
    """A key and its value as YAML, a line each; a mapping stands below its key."""
    if isinstance(value, list) and any(isinstance(item, str) for item in value):
        return [f"{key}:", *(f"  - {_inline(item)}" for item in value)]
    if not isinstance(value, Mapping):
        return [f"{key}: {_inline(value)}"]
    if not value:
        return [f"{key}: {{}}"]
    inner = [line for name, entry in value.items() for line in _written(str(name), entry)]
    return [f"{key}:", *(f"  {line}" for line in inner)]


def _inline(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, bool) or not isinstance(value, str):
        return json.dumps(value)
    return value if _is_plain(value) else json.dumps(value, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    """True where YAML reads the bare text as itself, also in a list."""
    try:
        is_read = _PLAIN.fullmatch(text) and YAML(typ="safe", pure=True).load(f"[{text}]") == [text]
        return bool(is_read)

    except YAMLError:
        return False


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
