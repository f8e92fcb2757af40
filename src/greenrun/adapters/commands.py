"""Commands in the working tree, each with all that it starts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread

from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.interfaces import Ended, Timeout

_TOLD_EVERY = timedelta(seconds=1)

_Process = subprocess.Popen[str]


class SystemCommands:
    """Runs commands in `root`; those of this interpreter's environment are found first.

    A command is the leader of a process group of its own, which ends with it: by SIGTERM, and
    after `grace` by SIGKILL.
    """

    def __init__(self, root: Path, *, grace: timedelta = timedelta(seconds=5)) -> None:
        self._root = root
        self._grace = grace

    def run(self, command: Sequence[str], timeout: Timeout) -> Ended:
        """Run to the end, without a shell; told once a second with its last line.

        Raises CallFailed where there is no such command, DeadlineExceeded with its last line.
        """
        began = time.monotonic()
        with self._started(command) as process:
            output = _Output(process)
            _Watched(command, timeout, output, began).wait_for(process)
        output.end(self._grace)
        took = timedelta(seconds=time.monotonic() - began)
        return Ended(process.returncode, took, output.text)

    @contextmanager
    def _started(self, command: Sequence[str]) -> Iterator[_Process]:
        process = self._start(command)
        try:
            yield process
        finally:
            _end_group(process, self._grace)

    def _start(self, command: Sequence[str]) -> _Process:
        own = str(Path(sys.executable).parent)
        path = os.pathsep.join(filter(None, (own, os.environ.get("PATH", ""))))
        try:
            return subprocess.Popen(  # noqa: S603 - release.yaml says what is run
                list(command),
                cwd=self._root,
                env={**os.environ, "PATH": path},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise CallFailed(
                f"could not run `{' '.join(command)}` in {self._root}: got {error.strerror}",
                hint=f"install {command[0]}, or correct the command in release.yaml",
            ) from error


class _Output:
    """What a command writes, read while it runs so that it never waits for us."""

    def __init__(self, process: _Process) -> None:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        self._stream = process.stdout
        self._lines: list[str] = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        return "".join(self._lines)

    @property
    def last_line(self) -> str:
        """The last that says something."""
        return next((line.strip() for line in reversed(self._lines) if line.strip()), "nothing yet")

    def end(self, grace: timedelta) -> None:
        """Wait for what was written last; one that left its group may hold the pipe for longer."""
        self._reader.join(grace.total_seconds())

    def _read(self) -> None:
        with self._stream:
            for line in self._stream:
                self._lines.append(line)


class _Watched:
    """A wait with a deadline, told once a second."""

    def __init__(
        self, command: Sequence[str], timeout: Timeout, output: _Output, began: float
    ) -> None:
        self._command = " ".join(command)
        self._patience = timeout
        self._output = output
        self._began = began

    def wait_for(self, process: _Process) -> None:
        """Return when the process has ended; raises DeadlineExceeded."""
        while (left := self._within - self._waited) > 0:
            with suppress(subprocess.TimeoutExpired):
                process.wait(min(left, _TOLD_EVERY.total_seconds()))
                return
            self._patience.watch(self._line)
        raise DeadlineExceeded(
            f"`{self._command}` to end",
            after=self._patience.within,
            last_seen=self._output.last_line,
            hint="make it quicker, or raise `preflight.quality-gate-timeout` in release.yaml",
        )

    @property
    def _within(self) -> float:
        return self._patience.within.total_seconds()

    @property
    def _waited(self) -> float:
        return time.monotonic() - self._began

    @property
    def _line(self) -> str:
        return (
            f"{self._waited:.0f} s of {self._within:g} s for `{self._command}`: "
            f"{self._output.last_line}"
        )


def _end_group(process: _Process, grace: timedelta) -> None:
    """End whatever is left of the group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace.total_seconds())
