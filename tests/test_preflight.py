"""A release does not begin on a doubt."""

from dataclasses import replace
from pathlib import Path

import pytest

from greenrun import preflight
from greenrun.domain.plan import Plan
from greenrun.domain.revision import SecretReference
from tests.fakes import FakeVault

GOOD = "FROM python:3.11-slim\nCOPY app app\nEXPOSE 8080\nCMD python -m app\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "Dockerfile").write_text(GOOD)
    return tmp_path


@pytest.mark.parametrize(
    ("number", "recent"),
    [("20.10.24", True), ("20.9", False), ("28.2.2", True), ("19.03.1", False), ("", False)],
)
def test_engines(number: str, recent: bool) -> None:  # noqa: FBT001 - one column of a table
    assert preflight.engine_is_recent(number) is recent


def test_a_good_dockerfile_raises_no_doubt(plan: Plan, directory: Path) -> None:
    assert preflight.dockerfile_doubts(plan, directory) == ()


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (("EXPOSE 8080", "EXPOSE 80"), "EXPOSE: got 80, needs 8080"),
        (("CMD python -m app", ""), "got neither CMD nor ENTRYPOINT"),
        (("COPY app app", "COPY --chown=1 ap* lib /x/"), "COPY lib: no such file"),
    ],
)
def test_doubts_of_a_dockerfile(
    plan: Plan, directory: Path, change: tuple[str, str], doubt: str
) -> None:
    (directory / "Dockerfile").write_text(GOOD.replace(*change))
    (found,) = preflight.dockerfile_doubts(plan, directory)
    assert found.startswith(doubt)


def test_a_dockerfile_that_is_not_there(plan: Plan, tmp_path: Path) -> None:
    assert preflight.dockerfile_doubts(plan, tmp_path) == ("Dockerfile does not exist",)


def test_secrets_that_are_not_there_are_named_with_their_variable(plan: Plan) -> None:
    secrets = {"API_TOKEN": SecretReference("token", "5"), "KEY": SecretReference("key", "1")}
    wanted = replace(plan, settings=replace(plan.settings, secrets=secrets))
    found = preflight.missing_secrets(wanted, FakeVault({"key:1"}))
    assert found == ("token:5 for API_TOKEN",)
