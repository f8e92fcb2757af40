"""The events of a release, as a conftest.py hears them."""

import pytest

from tests.plugin.conftest import FORWARD, Suite

EVENTS = """
def pytest_greenrun_ended(event):
    with open("events", "a") as file:
        print("ended", event.environment, event.exit_status, event.at is not None, file=file)


def pytest_greenrun_manual_action_required(event):
    with open("events", "a") as file:
        print("manual action", event.reason, event.exit_status, file=file)
    raise OSError("no network")


@then("the last words fail")
def _(release):
    release.stuck = True


@then("pytest is told to exit, and nobody can write")
def _(pytestconfig):
    class Broken:
        def pytest_sessionfinish(self):
            raise OSError("disk full")

    pytestconfig.pluginmanager.register(Broken())
    pytest.exit("enough")
"""


def events(suite: Suite) -> list[str]:
    return (suite.path / "events").read_text().splitlines()


def test_a_run_that_ended_is_told_with_its_exit_status(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(suite.path)
    suite.steps(EVENTS)
    suite.feature("01", FORWARD)
    assert suite.run("features").ret == 0
    assert events(suite) == ["ended local 0 True"]


def test_a_call_for_a_person_is_told_and_what_fails_there_changes_nothing(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(suite.path)
    suite.steps(EVENTS)
    suite.feature(
        "01", "Feature: F\n  Scenario: S\n    Then the last words fail\n    And all gates hold\n"
    )
    result = suite.run("features")
    assert result.ret == 10
    assert events(suite) == [
        "manual action traffic is split 10/90, needs 0/100 10",
        "ended local 10 True",
    ]
    told = "      pytest_greenrun_manual_action_required: OSError: no network"
    assert result.outlines.count(told) == 1


def test_what_was_begun_is_put_back_before_any_report_is_written(suite: Suite) -> None:
    suite.steps(EVENTS)
    last = "pytest is told to exit, and nobody can write"
    suite.feature(
        "01",
        "Feature: F\n  Scenario: S\n    When 10 % of the traffic reach the candidate\n"
        f"    Then {last}\n",
    )
    result = suite.run("features")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert suite.diary[-1] == "local: rolled back"
    told = "      after the end of the run: OSError: disk full"
    assert result.outlines.count(told) == 1


RESET = """
def pytest_greenrun_reset(config):
    (config.rootpath / "yesterday").unlink()
"""


@pytest.mark.parametrize(
    ("arguments", "is_left"),
    [
        (("features",), False),
        (("features", "--env=no good"), False),
        (("features", "--to=REVISION"), False),
        (("features", "-x"), False),
        (("features", "-p", "no:terminal"), False),
        (("features", "--collect-only"), True),
        (("test_ordinary.py",), True),
    ],
)
def test_what_an_earlier_run_left_is_taken_away_before_anything_is_refused(
    suite: Suite, arguments: tuple[str, ...], *, is_left: bool
) -> None:
    suite.steps(RESET)
    suite.feature("01", FORWARD)
    (suite.path / "test_ordinary.py").write_text("def test_one():\n    pass\n")
    (suite.path / "yesterday").touch()
    suite.run(*arguments)
    assert (suite.path / "yesterday").exists() == is_left
