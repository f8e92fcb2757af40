"""Commands run to their end, or are ended with all that they started."""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cloudrun_emulator.core.time import wait_until
from greenrun.adapters.machine import SystemCommands
from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.interfaces import Timeout

SOON = timedelta(seconds=20)
Shell = Callable[[str], tuple[str, ...]]


@pytest.fixture
def commands(tmp_path: Path) -> SystemCommands:
    return SystemCommands(tmp_path, grace=timedelta(seconds=0.2))


def shell(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script)


def alive(process: int) -> bool:
    """False for one that has ended, whether or not somebody has asked for its status."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(process: int) -> bool:
    return wait_until(lambda: not alive(process), SOON, f"process {process} to end")


def test_a_command_ends_with_its_status_and_both_its_streams(commands: SystemCommands) -> None:
    ended = commands.run(shell("echo out; echo err >&2; exit 3"), Timeout(SOON))
    assert (ended.status, ended.output) == (3, "out\nerr\n")
    assert timedelta() < ended.took < SOON


def test_a_command_runs_in_the_working_tree_and_reads_nothing(
    commands: SystemCommands, tmp_path: Path
) -> None:
    ended = commands.run(shell("pwd; cat"), Timeout(SOON))
    assert ended.output == f"{tmp_path.resolve()}\n"


def test_no_shell_comes_between(commands: SystemCommands) -> None:
    assert commands.run(("echo", "$HOME; *"), Timeout(SOON)).output == "$HOME; *\n"


def test_commands_of_this_environment_are_found_first(
    commands: SystemCommands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    script = "import sys; print(sys.executable)"
    name = Path(sys.executable).name
    ended = commands.run((name, "-c", script), Timeout(SOON))
    assert Path(ended.output.strip()).parent == Path(sys.executable).parent


def test_no_such_command_is_a_failed_call(commands: SystemCommands) -> None:
    with pytest.raises(CallFailed, match="could not run `no-such-thing -q` in ") as told:
        commands.run(("no-such-thing", "-q"), Timeout(SOON))
    assert told.value.hint.startswith("install no-such-thing")


def test_a_long_command_is_told_once_a_second(commands: SystemCommands) -> None:
    lines: list[str] = []
    commands.run(shell("echo collecting; sleep 1.2"), Timeout(SOON, lines.append))
    assert lines == ["1 s of 20 s for `sh -c echo collecting; sleep 1.2`: collecting"]


def test_a_command_over_its_time_is_ended_with_all_that_it_started(
    commands: SystemCommands, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    script = f"trap '' TERM; sleep 60 & echo $! > {child}; echo waiting; wait; wait"
    with pytest.raises(DeadlineExceeded, match=r"waited 0\.5 s .*last saw: waiting"):
        commands.run(shell(script), Timeout(timedelta(seconds=0.5)))
    assert gone(int(child.read_text()))


def test_what_a_command_leaves_behind_is_ended(commands: SystemCommands, tmp_path: Path) -> None:
    child = tmp_path / "child"
    ended = commands.run(shell(f"sleep 60 & echo $! > {child}; echo done"), Timeout(SOON))
    assert ended.output == "done\n"
    assert gone(int(child.read_text()))


def test_a_group_of_its_own(commands: SystemCommands) -> None:
    script = "import os; print(os.getpgrp() == os.getpid())"
    assert commands.run((sys.executable, "-c", script), Timeout(SOON)).output == "True\n"
    assert os.getpgrp() != 0


def test_much_output_does_not_stop_a_command(commands: SystemCommands) -> None:
    script = "for i in range(20000): print(i, 'x' * 80)"
    ended = commands.run((sys.executable, "-c", script), Timeout(SOON))
    assert len(ended.output.splitlines()) == 20000


def test_of_what_a_command_writes_without_end_the_end_is_kept(commands: SystemCommands) -> None:
    script = "head -c 30000000 /dev/zero | tr '\\0' x; echo; echo the end"
    ended = commands.run(shell(script), Timeout(SOON))
    assert ended.output.endswith("x\nthe end\n")
    assert ended.output.startswith("[20,0")
    assert len(ended.output) < 10_100_000
