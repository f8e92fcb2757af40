"""The package's own sentences: where they act, and that a repository's are nearer."""

from pathlib import Path

import pytest

FEATURE = """
Feature: One release at a time

  Scenario: Nobody else releases
    When the release claims the service
    Then nobody else can release it
"""
RELEASE = """
service: shop
build: {repository: registry.test/shop}
environments: {local: {project: p, region: r}}
"""


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_a_project_that_is_no_release_runs_as_if_greenrun_were_not_there(
    pytester: pytest.Pytester,
) -> None:
    """Its own option `--env`, its own `release` fixture, its own features bound by scenarios()."""
    write(
        pytester.path,
        {
            "pytest.ini": "[pytest]\naddopts = --strict-markers\n",
            "features/shop.feature": FEATURE,
            "conftest.py": """
import pytest

def pytest_addoption(parser):
    parser.addoption("--env", default="mine")

@pytest.fixture
def release(pytestconfig):
    return [pytestconfig.getoption("--env")]
""",
            "test_shop.py": """
from pytest_bdd import scenarios, then, when

scenarios("features")

@when("the release claims the service")
def _(release):
    release.append("claimed")

@then("nobody else can release it")
def _(release):
    assert release == ["yours", "claimed"]
""",
        },
    )

    everything = pytester.runpytest_subprocess("--env=yours")
    bare = pytester.runpytest_subprocess("features/shop.feature")
    without = pytester.runpytest_subprocess("features/shop.feature", "-p", "no:greenrun")

    everything.assert_outcomes(passed=1)
    assert not (pytester.path / "reports").exists()
    assert (bare.ret, _said(bare)) == (without.ret, _said(without))


def test_a_sentence_of_a_repository_is_nearer_than_the_one_of_the_package(
    pytester: pytest.Pytester,
) -> None:
    write(
        pytester.path,
        {
            "release.yaml": RELEASE,
            "features/shop.feature": FEATURE,
            "conftest.py": """
import pytest
from pytest_bdd import then, when

@pytest.fixture(scope="session")
def release():
    return []

@when("the release claims the service")
def _(release):
    release.append("claimed")

@then("nobody else can release it")
def _(release):
    assert release == ["claimed"]
""",
        },
    )

    ended = pytester.runpytest_subprocess("features/", "--no-html")

    ended.assert_outcomes(passed=1)


def _said(ended: pytest.RunResult) -> list[str]:
    return [line for line in ended.outlines if "plugins:" not in line and " in " not in line]
