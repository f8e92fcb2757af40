"""Everything that the terminal tells, as JSON lines in a file: `--events=FILE`, docs/events.md."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from uuid import uuid4

import pytest

SCHEMA = Path(__file__).with_name("events.schema.json")
"""What each line is."""

_MOST_WAITING = 10_000  # lines
_GONE_WITHIN = 3.0  # seconds


class EventLog:
    """Writes events to a file, from a thread of its own: nobody waits for it, nor fails by it.

    What stands at the head of a scenario goes with each event until it ends. `redact` sees every
    text.
    """

    def __init__(self, path: Path, redact: Callable[[str], str]) -> None:
        self._path, self._redact = path, redact
        self._run = uuid4().hex[:12]
        self._scenario: Mapping[str, object] = {}
        self._lines: SimpleQueue[str] = SimpleQueue()  # its `put` may be called by a signal, too
        self._why = ""
        self._thread = Thread(target=self._write_lines, name="greenrun events", daemon=True)
        self._thread.start()

    def begin_scenario(self, **facts: object) -> None:
        """A scenario begins; every event tells of it until it has ended."""
        self._scenario = facts

    def end_scenario(self) -> None:
        """It has ended."""
        self._scenario = {}

    def tell(self, event: str, **facts: object) -> None:
        """Write an event down. Never raises, never waits."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        told = {"event": event, "at": at, "run": self._run, **self._scenario, **facts}
        with suppress(Exception):  # a fact without JSON is not worth a release
            line = json.dumps(_redacted(told, self._redact))
            if self._lines.qsize() < _MOST_WAITING:
                self._lines.put(line)
            else:
                self._why = f"got more than {_MOST_WAITING} lines that wait to be written"

    def close(self) -> str:
        """Wait a little for the last line; return why lines were lost, where any was."""
        self._lines.put("")
        self._thread.join(_GONE_WITHIN)
        late = f"it took more than {_GONE_WITHIN:g} s" if self._thread.is_alive() else ""
        why = self._why or late
        return f"could not write every event to {self._path}: {why}" if why else ""

    def _write_lines(self) -> None:
        with self._noting_failure():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab", buffering=0) as file:
                before = b""
                for line in iter(self._lines.get, ""):
                    before = self._write(file, before + line.encode() + b"\n")

    def _write(self, file: FileIO, line: bytes) -> bytes:
        """Write a line; return what the next one has to begin with, where this one was cut."""
        written: int | None = 0
        with self._noting_failure():
            written = file.write(line)
            if written != len(line):
                self._why = "got room for a part of a line"
        return b"\n" if written and written != len(line) else b""

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._why = error.strerror or str(error)


def _redacted(value: object, redact: Callable[[str], str]) -> object:
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {key: _redacted(item, redact) for key, item in value.items()}
        case datetime():
            return value.isoformat()
        case Sequence():
            return [_redacted(item, redact) for item in value]
        case _:
            return value


def open_log(config: pytest.Config, redact: Callable[[str], str], *, anew: bool) -> None:
    """Open the log of a run, where one was asked for.

    `anew`: that of an earlier run is taken away, so that it is not read as that of this one.
    """
    if given := config.getoption("events"):
        path = config.invocation_params.dir / given
        with suppress(OSError):
            if anew and path.is_file():
                path.unlink()
        config.stash[_LOG] = EventLog(path, redact)


def log_of(config: pytest.Config) -> EventLog | None:
    """The log of this run, where one was asked for."""
    return config.stash.get(_LOG, None)


def refused(config: pytest.Config, why: str, exit_status: int) -> None:
    """Tell of a run that never began, as the last that is told."""
    if log := log_of(config):
        log.tell("refused", text=why)
        log.tell("run_ended", exit_status=exit_status)
        log.close()


_LOG = pytest.StashKey[EventLog]()
