"""What a run tells, as JSON lines: whole, redacted, and in nobody's way."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from greenrun.plugin.terminal.events import SCHEMA
from tests.plugin.conftest import Suite

Write = Callable[..., Suite]
Event = dict[str, Any]
LOGGED = ("features", "--events=reports/events.jsonl")
TELLING = """
from greenrun.plugin.redaction import keep_secret


@then("it tells of itself")
def _(progress, pytestconfig, release):
    keep_secret(pytestconfig, "hunter2")
    progress.report("1 of 2, by hunter2")
    progress.present("the plan:\\n  \\x1b[2Jnothing changes")
    progress.remark("\\u202eso far")
"""


def events(suite: Suite, name: str = "reports/events.jsonl") -> list[Event]:
    """Every line of the file, each as its schema says, all of one run and in their order."""
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    told = [json.loads(line) for line in (suite.path / name).read_bytes().splitlines()]
    for each in told:
        jsonschema.validate(each, schema)
    assert len({each["run"] for each in told}) == 1
    times = [datetime.fromisoformat(each["at"]) for each in told]
    assert times == sorted(times)
    return told


def short(event: Event) -> str:
    words = {
        "run_began": "{mode} {environments} {scenarios}",
        "scenario_began": "{environment} {scenario} {line}",
        "sentence_began": "{sentence}",
        "sentence_ended": "{sentence} {outcome}",
        "scenario_ended": "{scenario} {outcome} {reason}",
        "release": "{moment} {exit_status}",
        "summary": "{headline} {succeeded} {next_steps}",
        "run_ended": "{exit_status}",
    }.get(event["event"], "{text}")
    return f"{event['event']}: {words.format(**event)}".strip()


def test_everything_that_the_terminal_tells_is_an_event(release_suite: Write) -> None:
    suite = release_suite(start="it tells of itself", canary="a gate closes")
    suite.steps(TELLING)

    assert suite.run(*LOGGED).ret == 1

    closed = "p95: got 900 ms, needs 500 ms or less"
    stopped = "stopped at Users meet the candidate slowly: The canary holds"
    assert [short(each) for each in events(suite)] == [
        "run_began: rehearsal ['local'] {'local': 5}",
        "scenario_began: local The candidate starts 3",
        "sentence_began: Given a release",
        "sentence_ended: Given a release passed",
        "sentence_began: Then it tells of itself",
        "progress: 1 of 2, by ********",
        "told: the plan:\n  \x1b[2Jnothing changes",
        "told: \u202eso far",
        "sentence_ended: Then it tells of itself passed",
        "scenario_ended: The candidate starts passed",
        "scenario_began: local The canary holds 7",
        "sentence_began: When 10 % of the traffic reach the candidate",
        "sentence_ended: When 10 % of the traffic reach the candidate passed",
        "sentence_began: Then a gate closes",
        "sentence_ended: Then a gate closes failed",
        f"problem: features/01-forward.feature:9\n{closed}\nhint: look at the queries",
        f"scenario_ended: The canary holds failed {closed}",
        "scenario_began: local The candidate is promoted 11",
        f"scenario_ended: The candidate is promoted skipped {stopped}",
        "scenario_began: local All traffic returns 4",
        "sentence_began: When the release is rolled back",
        "sentence_ended: When the release is rolled back passed",
        "scenario_ended: All traffic returns passed",
        "scenario_began: local The record remains 8",
        "sentence_began: Then the record is written",
        "sentence_ended: Then the record is written passed",
        "scenario_ended: The record remains passed",
        "release: ended 1",
        f"summary: Not released: {stopped} False ['look at the queries']",
        "run_ended: 1",
    ]
    assert b"hunter2" not in (suite.path / "reports/events.jsonl").read_bytes()


def test_quiet_and_without_colour_it_is_the_same(release_suite: Write) -> None:
    suite = release_suite()

    suite.run(*LOGGED)
    loud = [short(each) for each in events(suite)]
    suite.run(*LOGGED, "-qqq", "--color=no")

    assert [short(each) for each in events(suite)] == loud
    assert loud[-2:] == ["summary: The rehearsal passed True []", "run_ended: 0"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-k", "nowhere"), ["run_ended: 5"]),
        (("-x",), ["refused: no feature was begun\n  a release goes on*", "run_ended: 4"]),
        (("--env=no good",), ["refused: --env: got 'no good', *", "run_ended: 4"]),
        (("-k", "record"), ["refused: no feature was begun\n  what was*", "run_ended: 4"]),
        (("features/nosuch.feature",), ["run_ended: 4"]),
    ],
)
def test_a_run_that_never_began_has_ended_all_the_same(
    release_suite: Write, arguments: tuple[str, ...], told: list[str]
) -> None:
    suite = release_suite()
    suite.run(*LOGGED)

    suite.run(*LOGGED, *arguments)

    last = [short(each) for each in events(suite)][-len(told) :]
    pytest.LineMatcher([line.replace("\n", " ") for line in last]).fnmatch_lines(
        [line.replace("\n", " ") for line in told]
    )


def test_what_is_only_listed_leaves_the_file_of_before(release_suite: Write) -> None:
    suite = release_suite()
    suite.run(*LOGGED)
    before = events(suite)

    suite.run(*LOGGED, "--collect-only")

    assert events(suite) == before


def test_a_person_who_is_needed_is_told_of(release_suite: Write) -> None:
    suite = release_suite(canary="the last words fail")
    suite.steps("@then('the last words fail')\ndef _(release):\n    release.stuck = True\n")

    assert suite.run(*LOGGED).ret == 10

    assert [short(each) for each in events(suite) if each["event"] == "release"] == [
        "release: manual_action_required 10",
        "release: ended 10",
    ]


def nobody_reads(path: Path) -> None:
    os.mkfifo(path)


BROKEN: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a file in the way of its folder": lambda path: path.parent.write_text("in the way"),
    "a full disk": lambda path: path.symlink_to("/dev/full"),
    "a pipe that nobody reads": nobody_reads,
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_takes_nothing_is_told_once_and_stops_nobody(
    release_suite: Write, what: str
) -> None:
    suite = release_suite(canary="a gate closes")
    folder = suite.path / "log"
    if "folder" not in what or what == "a folder":
        folder.mkdir()
    BROKEN[what](folder / "events.jsonl")

    result = suite.run("features", "--events=log/events.jsonl")

    assert result.ret == 1
    assert suite.diary[-2:] == ["local: rolled back", "local: recorded"]
    [told] = [line for line in result.outlines if "could not write every event to" in line]
    assert "events.jsonl: " in told


ASKING = {
    "input": ("input('sure? ')", "EOFError"),
    "a child": (
        "import subprocess; assert subprocess.run(['cat'], timeout=20).returncode == 1",
        "Assertion",
    ),
    "breakpoint": ("breakpoint()", "could not stop at a breakpoint"),
    "pdb": ("import pdb; pdb.set_trace()", "could not stop at a breakpoint"),
}


@pytest.mark.parametrize(
    ("way", "capture", "stdin"),
    [
        ("input", "fd", "closed"),
        ("input", "no", "closed"),
        ("input", "no", "a pipe that stays open"),
        ("a child", "fd", "closed"),
        ("a child", "sys", "a pipe that stays open"),
        ("a child", "no", "a pipe that stays open"),
        ("breakpoint", "fd", "a pipe that stays open"),
        ("pdb", "fd", "a pipe that stays open"),
        ("pdb", "no", "a pipe that stays open"),
    ],
)
def test_nobody_waits_for_a_keyboard(
    release_suite: Write, way: str, capture: str, stdin: str
) -> None:
    asking, told = ASKING[way]
    suite = release_suite(canary="somebody asks")
    suite.steps(f"@then('somebody asks')\ndef _(release):\n    {asking}\n")
    command = [sys.executable, "-m", "pytest", "features", "--no-html", f"--capture={capture}"]
    shell = " ".join(command) + (" <&-" if stdin == "closed" else "")

    with subprocess.Popen(
        ["sh", "-c", shell],
        cwd=suite.path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        assert run.stdout is not None
        output = run.stdout.read()

    assert run.returncode == 1, output
    assert told in output or "reading from stdin" in output
    assert suite.diary[-2:] == ["local: rolled back", "local: recorded"]
