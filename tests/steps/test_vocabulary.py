"""The package's own sentences: where they act, and that a repository's are nearer."""

from pathlib import Path

import pytest

FEATURE = """
Feature: One release at a time

  Scenario: Nobody else releases
    When the release claims the service
    Then nobody else can release it
"""
PROMOTED = """
    When the candidate is promoted
"""
RELEASE = """
service: shop
build: {repository: registry.test/shop}
environments: {local: {project: rehearsal, region: europe-west1}}
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
            "features/shop.feature": FEATURE + PROMOTED.lstrip("\n"),
            "conftest.py": """
import pytest
from pytest_bdd import then, when

@pytest.fixture(scope="session")
def release():
    return []

@when("the candidate is promoted")
def _(release):
    release.append("promoted")

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


def test_every_table_is_read_before_the_first_scenario_runs(pytester: pytest.Pytester) -> None:
    """Each of the nine kinds has a fault here; all are told at once, by line and column."""
    feature = """Feature: Tables

  Scenario: All of them
    Then all of this holds
      | what             | where |
      | the moon is full | cloud |
    And the candidate answers
      | request | p95 at most | schema       |
      | GO /    | soon        | missing.json |
    And the candidate answers
      | request | schema       |
      | GET /   | missing.json |
    And the candidate answers in turn
      | request   | answers |
      | GET /{id} | a = 1   |
    And these pages open in a browser
      | page   |
      | memory |
    Given the candidate's metrics at "/metrics"
    Then they have at least 1 families, among them
      | families |
      | http     |
    And these counters have risen since
      | counter | by at least |
      | a b     | many        |
    And they meet these objectives
      | measure | at most |
      | p50     |         |
    And the candidate's log has no errors but the allowed ones
      | pattern |
      | (       |
    And these pages open in a browser
    Given these objectives of the canary
      | measure    | at most |
      | error rate | few     |
"""
    write(pytester.path, {"release.yaml": RELEASE, "features/tables.feature": feature})

    ended = pytester.runpytest_subprocess("features/", "--no-html")

    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stdout.no_fnmatch_line("*PASSED*")
    missing = pytester.path / "features/missing.json"
    told = [line.strip() for line in ended.errlines if "features/tables.feature:" in line]
    assert [
        line.removeprefix("features/tables.feature:").partition(", needs")[0] for line in told
    ] == [
        "6:9: table of preflight checks: what: got 'the moon is full'",
        "9:9: table of endpoints: request: got 'GO /'",
        "9:19: table of endpoints: p95 at most: got 'soon'",
        (
            f"12:19: table of endpoints: schema: could not read schema {missing}: No such file or "
            "directory"
        ),
        "15:9: table of requests in turn: request: got a place for id",
        "18:9: table of pages: page: got 'memory'",
        "21:7: table of families: got columns families",
        "25:9: table of counters: counter: got 'a b'",
        "25:19: table of counters: by at least: got 'many'",
        "28:7: table of objectives: got p50 without a limit",
        "31:9: table of patterns: pattern: got '('",
        '32: "these pages open in a browser" needs a table of pages',
        "35:22: table of canary objectives: at most: got 'few'",
    ]


def _said(ended: pytest.RunResult) -> list[str]:
    return [line for line in ended.outlines if "plugins:" not in line and " in " not in line]
