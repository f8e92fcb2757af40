"""Real signals, sent to a pytest of its own."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time

import pytest

from tests.plugin.conftest import AFTERWARDS, Suite

DEADLINE = 30  # seconds

LONG = """
Feature: Users meet the candidate slowly

  Scenario: The canary is watched
    When 10 % of the traffic reach the candidate
    When it takes long
    Then all gates hold
"""

STUBBORN = """
@pytest.fixture(scope="session")
def stubborn(release):
    yield
    release.write("putting back")
    go_on = release.folder / "go on"
    while not go_on.exists():
        threading.Event().wait(0.01)
    release.write("put back")


@given("a way back that takes its time")
def _(stubborn):
    pass
"""


def wait_for(event: str, suite: Suite) -> None:
    until = time.monotonic() + DEADLINE
    while event not in suite.diary:
        assert time.monotonic() < until, f"waited {DEADLINE} s for {event!r}, got {suite.diary}"
        time.sleep(0.01)


def end_of(process: subprocess.Popen[str]) -> str:
    try:
        output, _ = process.communicate(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return output


ENDED = """
from greenrun.plugin.run.session import results_of


def pytest_greenrun_ended(config, event):
    [result] = results_of(config)
    with (config.rootpath / "diary").open("a") as diary:
        print(f"ended with {event.exit_status}: {result.ending}, {result.reason}", file=diary)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_sentence_and_puts_traffic_back(
    suite: Suite, number: signal.Signals
) -> None:
    suite.steps(ENDED)
    suite.feature("01", LONG)
    suite.feature("02", AFTERWARDS)
    process = suite.start("features", "--env=prod")
    wait_for("local: waiting", suite)

    process.send_signal(number)
    output = end_of(process)

    assert process.returncode == 2
    assert suite.diary == [
        "local: begun",
        "local: 10 % to the candidate",
        "local: waiting",
        "local: rolled back",
        f"ended with 2: failed, interrupted by {number.name}",
    ]
    pytest.LineMatcher(output.splitlines()).fnmatch_lines(
        [
            f"  {number.name}: the release ends here, putting back what was begun",
            "    ✗ When it takes long *",
            f"      interrupted by {number.name}",
            f"  5 scenarios skipped: interrupted by {number.name}",
            f"Not released: interrupted by {number.name}",
        ]
    )


def test_the_interrupted_sentence_is_broken_in_the_results(suite: Suite) -> None:
    suite.feature("01", LONG)
    process = suite.start()
    wait_for("local: waiting", suite)

    process.send_signal(signal.SIGTERM)
    end_of(process)

    [result] = suite.results
    assert result["status"] == "broken"
    assert result["statusDetails"] == {"message": "interrupted by SIGTERM"}
    assert [(step["name"], step["status"]) for step in result["steps"]] == [
        ("When 10 % of the traffic reach the candidate", "passed"),
        ("When it takes long", "broken"),
        ("Then all gates hold", "skipped"),
    ]


def test_further_signals_do_not_cut_the_way_back_short(suite: Suite) -> None:
    suite.steps(STUBBORN)
    suite.feature(
        "01", LONG.replace("When 10 %", "Given a way back that takes its time\n    When 10 %")
    )
    process = suite.start()
    wait_for("local: waiting", suite)
    process.send_signal(signal.SIGINT)
    wait_for("local: putting back", suite)

    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    (suite.path / "go on").touch()
    output = end_of(process)

    assert process.returncode == 2
    assert suite.diary[-3:] == ["local: putting back", "local: put back", "local: rolled back"]
    pytest.LineMatcher(output.splitlines()).fnmatch_lines(
        ["  * again: putting back what was begun, this is not cut short"]
    )


def test_an_interrupted_release_that_cannot_be_put_back_calls_a_person(suite: Suite) -> None:
    suite.feature(
        "01", LONG.replace("When it takes", "When the way back is lost\n    When it takes")
    )
    process = suite.start()
    wait_for("local: waiting", suite)

    process.send_signal(signal.SIGTERM)
    output = end_of(process)

    assert process.returncode == 10
    assert "A PERSON IS NEEDED: not everything is as it was before" in output.splitlines()


def test_an_interrupted_way_back_does_not_claim_to_be_one(suite: Suite) -> None:
    suite.feature("07", "Feature: F\n  @way-back\n  Scenario: S\n    When it takes long\n")
    process = suite.start("features/07.feature", "--env=prod")
    wait_for("prod: waiting", suite)

    process.send_signal(signal.SIGTERM)
    output = end_of(process)

    assert process.returncode == 2
    assert "The rollback on prod is not proven: interrupted by SIGTERM" in output.splitlines()


WAITING = """
@then("the gate closes when there is a sign")
def _(release):
    release.write("waiting")
    while not (release.folder / "sign").exists():
        threading.Event().wait(0.01)
    raise GateClosed("p95: got 900 ms, needs 500 ms or less")
"""


def test_a_reader_who_left_changes_neither_the_way_back_nor_the_exit_status(suite: Suite) -> None:
    suite.steps(WAITING)
    suite.feature(
        "01",
        LONG.partition("    When it takes")[0] + "    Then the gate closes when there is a sign\n",
    )
    suite.feature("02", AFTERWARDS)
    process = suite.start()
    wait_for("local: waiting", suite)
    assert process.stdout is not None
    process.stdout.close()
    (suite.path / "sign").touch()

    assert process.wait(DEADLINE) == 1
    assert suite.diary[-2:] == ["local: rolled back", "local: recorded"]


def test_a_terminal_that_hangs_up_takes_the_release_back(suite: Suite) -> None:
    suite.feature("01", LONG)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pytest", "features", "--no-html"]
    with subprocess.Popen(
        command,
        cwd=suite.path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509, no thread
    ) as process:
        os.close(theirs)
        wait_for("local: waiting", suite)
        os.close(ours)

        assert process.wait(DEADLINE) == 2
    assert suite.diary[-2:] == ["local: waiting", "local: rolled back"]
