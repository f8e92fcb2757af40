"""A small suite around a small real release: its traffic is a file, its diary another."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PLUGINS = ("-p greenrun.plugin.hooks", "-p no:hypothesispytest", "-p no:schemathesis")
"""Ours, and not those that take two seconds to import, anew in each run within this process."""

CONFTEST = '''
import threading

import pytest
from pytest_bdd import given, parsers, then, when

from greenrun.model.errors import GateClosed, ManualActionRequired, ReleaseError
from greenrun.plugin.gherkin.milestones import AT_ZERO, PROMOTED, RESTORED, reaches
from greenrun.plugin.run.session import withdraw_promotion


class Release:
    """Splits the traffic of one environment, and puts it back."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment
        self.stuck = False
        self.write("begun")

    @property
    def traffic(self):
        return self.folder / f"{self.environment}.traffic"

    def write(self, event):
        with (self.folder / "diary").open("a") as diary:
            print(f"{self.environment}: {event}", file=diary)

    def split(self, percent):
        self.write(f"{percent} % to the candidate")
        self.traffic.write_text(str(percent))

    def roll_back(self):
        if self.stuck:
            raise ManualActionRequired(
                "traffic is split 10/90, needs 0/100", hint="use the console"
            )
        if self.traffic.exists():
            self.traffic.unlink()
            self.write("rolled back")


@pytest.fixture(scope="session")
def release(environment, pytestconfig, request):
    release = Release(pytestconfig.rootpath, environment)
    yield release
    if request.session.testsfailed or request.session.shouldstop:
        withdraw_promotion(pytestconfig, environment)
    release.roll_back()


@given("a release")
@reaches(PROMOTED)
def _(release):
    pass


@when(parsers.parse("{percent:d} % of the traffic reach the candidate"))
@reaches(PROMOTED)
def _(release, percent):
    release.split(percent)


@when("the release is rolled back")
@reaches(RESTORED)
def _(release):
    release.roll_back()


@when("the service is scaled to zero")
@reaches(AT_ZERO)
def _(release):
    release.write("scaled to zero")


@when("the way back is lost")
def _(release):
    release.stuck = True


@then("all gates hold")
@reaches(PROMOTED)
def _(release):
    release.write("gates hold")


@then("a gate closes")
def _():
    raise GateClosed("p95: got 900 ms, needs 500 ms or less", hint="look at the queries")


@then("the platform is away")
def _():
    raise ReleaseError("could not read the service: got no answer, needs one")


@then("a step is wrong")
def _():
    {}["missing"]


@then("the record is written")
def _(release):
    release.write("recorded")


@when("it takes long")
def _(release):
    release.write("waiting")
    threading.Event().wait(60)
'''

FORWARD = """
    Feature: Users meet the candidate slowly

      Scenario: The candidate starts
        Given a release
        Then all gates hold

      Scenario: The canary holds
        When 10 % of the traffic reach the candidate
        Then all gates hold

      Scenario: The candidate is promoted
        Then all gates hold
    """

AFTERWARDS = """
    Feature: There is a way back and a record

      @way-back
      Scenario: All traffic returns
        When the release is rolled back

      @record
      Scenario: The record remains
        Then the record is written
    """


class Suite:
    """A suite on disk, and runs of it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.path = pytester.path
        pytester.makeini(f"[pytest]\naddopts = --strict-markers {' '.join(PLUGINS)}\n")
        self.steps("")

    def steps(self, more: str) -> None:
        """Write conftest.py: the release, and more sentences."""
        (self.path / "conftest.py").write_text(CONFTEST + textwrap.dedent(more))

    def feature(self, name: str, text: str) -> Path:
        """Write a feature file."""
        path = self.path / "features" / f"{name}.feature"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())
        return path

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest here, in this process."""
        return self.run_with_page(*(arguments or ("features",)), "--no-html")

    def run_with_page(self, *arguments: str) -> pytest.RunResult:
        """Run pytest here, and have it make the page of its report."""
        return self._pytester.runpytest_inprocess(*arguments)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start pytest in its own process."""
        command = [sys.executable, "-m", "pytest", *(arguments or ("features",)), "--no-html"]
        surroundings = {**os.environ, "COLUMNS": "80"}
        return subprocess.Popen(
            command, cwd=self.path, env=surroundings, stdout=subprocess.PIPE, text=True
        )

    @property
    def diary(self) -> list[str]:
        """What the release did, in order."""
        path = self.path / "diary"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def results(self) -> list[dict[str, Any]]:
        """Allure's results, in the order in which they began."""
        folder = self.path / "reports" / "allure-results"
        found = [json.loads(path.read_text()) for path in folder.glob("*-result.json")]
        return sorted(found, key=lambda result: result["start"])


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    monkeypatch.setenv("COLUMNS", "80")
    return Suite(pytester)


@pytest.fixture
def release_suite(suite: Suite) -> Callable[..., Suite]:
    """A whole release, in which the sentences after the canary may be replaced."""

    def write(*, start: str = "all gates hold", canary: str = "all gates hold") -> Suite:
        forward = FORWARD.replace("Then all gates hold", f"Then {start}", 1)
        head, _, tail = forward.rpartition("candidate\n        Then all gates hold\n")
        suite.feature("01-forward", f"{head}candidate\n        Then {canary}\n{tail}")
        suite.feature("02-afterwards", AFTERWARDS)
        return suite

    return write
