"""The machine that a release runs on: its time, our process, and commands in the working tree."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from uuid import uuid4

from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.interfaces import Ended, Timeout
from greenrun.model.lease import LeaseHolder
from greenrun.model.text import Tail

_WATCH_INTERVAL = timedelta(seconds=1)
_LONGEST_LINE = 65536  # characters; a longer one is read in parts
_PROC = Path("/proc")
_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux stops CLOCK_MONOTONIC while a machine is suspended (clock_gettime(2))."""

_Process = subprocess.Popen[str]


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> timedelta:
        """The time since this machine began, also while it slept, where the system counts that."""
        return timedelta(seconds=time.clock_gettime(_SINCE_BOOT))

    def sleep(self, duration: timedelta) -> None:
        """Let time pass."""
        time.sleep(duration.total_seconds())


def this_process(account: str) -> LeaseHolder:
    """Ourselves, in a run of our own."""
    pid = os.getpid()
    return LeaseHolder(account, socket.gethostname(), pid, uuid4().hex, _lifetime(pid))


def is_gone(owner: LeaseHolder) -> bool:
    """True where it is certain: a process of this very machine that runs no more.

    One that counts in another PID namespace, or before the machine was started anew, cannot be
    seen from here, and nothing is said of it.
    """
    scope, _, started = owner.lifetime.rpartition("/")
    if not started or scope != _scope():
        return False
    return _lifetime(owner.process) != owner.lifetime


def _lifetime(pid: int) -> str:
    """Where and when a process was started: `BOOT/NAMESPACE/TICKS`; empty where it is not there."""
    try:
        # Fields are counted after the name in brackets, which may hold anything: man 5 proc.
        started = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{_scope()}/{started}"


def _scope() -> str:
    """This start of the machine, and the PID namespace that we count in."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


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
            end_group(process, self._grace)

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
        self._written, self._last = Tail(), "nothing yet"
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        return str(self._written)

    @property
    def last_line(self) -> str:
        """The last that says something."""
        return self._last

    def end(self, grace: timedelta) -> None:
        """Wait for what was written last; one that left its group may hold the pipe for longer."""
        self._reader.join(grace.total_seconds())

    def _read(self) -> None:
        with self._stream:
            for line in iter(lambda: self._stream.readline(_LONGEST_LINE), ""):
                self._written.add(line)
                self._last = line.strip() or self._last


class _Watched:
    """A wait with a deadline, told once a second."""

    def __init__(
        self, command: Sequence[str], timeout: Timeout, output: _Output, began: float
    ) -> None:
        self._command = " ".join(command)
        self._timeout = timeout
        self._output = output
        self._began = began

    def wait_for(self, process: _Process) -> None:
        """Return when the process has ended; raises DeadlineExceeded."""
        while (left := self._within - self._waited) > 0:
            with suppress(subprocess.TimeoutExpired):
                process.wait(min(left, _WATCH_INTERVAL.total_seconds()))
                return
            self._timeout.watch(self._line)
        raise DeadlineExceeded(
            f"`{self._command}` to end",
            after=self._timeout.within,
            last_seen=self._output.last_line,
            hint="make it quicker, or raise `preflight.quality-gate-timeout` in release.yaml",
        )

    @property
    def _within(self) -> float:
        return self._timeout.within.total_seconds()

    @property
    def _waited(self) -> float:
        return time.monotonic() - self._began

    @property
    def _line(self) -> str:
        return (
            f"{self._waited:.0f} s of {self._within:g} s for `{self._command}`: "
            f"{self._output.last_line}"
        )


def end_group(process: _Process, grace: timedelta) -> None:
    """End a process with its group: by SIGTERM, and after so long by SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace.total_seconds())
