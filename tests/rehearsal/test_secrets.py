"""A service that gives its secrets away: none of them reaches what a rehearsal leaves."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import docker
import pytest

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.runtime.cleanup import OWNER_LABEL, Owner
from tests.rehearsal.project import Ended

pytestmark = pytest.mark.docker

NAMES = ("API_TOKEN", "ANALYSIS_API_KEY", "DEV_BYPASS")
SUMMED_UP = "    rows = service.settings.database.rows\n    return {part"
TELLTALE = """\
    from fastapi import HTTPException
    settings = service.settings
    print("the key is", settings.analysis_api_key.get_secret_value(), flush=True)
    raise HTTPException(500, f"got {settings.api_token.get_secret_value()}")
"""
STARTS = timedelta(seconds=60)


@dataclass(frozen=True)
class Leak:
    """A rehearsal that ended, and the values of the secrets that its containers had."""

    ended: Ended
    values: tuple[bytes, ...]


@pytest.fixture(scope="module")
def leak(
    green: Ended, engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Leak:
    """The candidate tells its token at start, its key at a request, its token in an answer."""
    project = green.project.branch(tmp_path_factory.mktemp("leak") / "changed")
    project.append("env.yaml", 'FAULTS: "secret-at-start"\n')
    project.replace("app/dashboard.py", SUMMED_UP, TELLTALE + SUMMED_UP)
    with project.rehearsing("features/", "-m", "not drill") as run:
        values = wait_until(
            lambda: secrets_in(engine, run.cloud), STARTS, "a container with secrets"
        )
        return Leak(run.end(), values)


def secrets_in(engine: docker.DockerClient, cloud: Owner) -> tuple[bytes, ...]:
    """What a container of a cloud has under the names of the secrets; nothing before there is."""
    mine: dict[str, str | list[str] | bool] = {"label": f"{OWNER_LABEL}={cloud}"}
    for container in engine.containers.list(filters=mine, ignore_removed=True):
        variables = dict(pair.split("=", 1) for pair in container.attrs["Config"]["Env"])
        if all(variables.get(name) for name in NAMES):
            return tuple(variables[name].encode() for name in NAMES)
    return ()


def test_it_is_stopped(leak: Leak) -> None:
    assert leak.ended.status == 1, leak.ended.output
    message = leak.ended.stopped()["statusDetails"]["message"]
    assert 'it said: {"detail":"got ********"}' in message


def test_what_it_said_is_kept_without_its_secrets(leak: Leak) -> None:
    (log,) = (
        text
        for name, text in leak.ended.evidence(leak.ended.stopped()).items()
        if name.startswith("log of")
    )
    assert "configured with API_TOKEN=********" in log
    assert "the key is ********" in log


def test_no_secret_is_in_the_terminal(leak: Leak) -> None:
    assert found(leak.values, {"the terminal": leak.ended.output.encode()}) == []


def test_no_secret_is_in_any_file(leak: Leak) -> None:
    contents = dict(everything_in(leak.ended.project.folder))
    names = {name.rpartition("/")[2] for name in contents}
    assert {"report.html", "release.json", "release.md", "journal-local.jsonl"} <= names
    assert any(b"********" in content for name, content in contents.items() if "page" in name)
    assert found(leak.values, contents) == []


def everything_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, and what the page of the report carries in base64."""
    for path in folder.rglob("*"):
        if path.is_file() and "node_modules" not in path.parts:
            yield str(path), path.read_bytes()
    page = (folder / "reports" / "report.html").read_bytes()
    for number, text in enumerate(re.findall(rb"[A-Za-z0-9+/]{24,}", page)):
        yield f"page {number}", base64.b64decode(text[: len(text) // 4 * 4])


def found(values: tuple[bytes, ...], contents: dict[str, bytes]) -> list[str]:
    """Where a secret stands, as it is or in base64."""
    shapes = [*values, *(base64.b64encode(value).rstrip(b"=") for value in values)]
    return [name for name, content in contents.items() if any(one in content for one in shapes)]
