"""The journal: what a release changed, durably written before and after each change."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from errno import ENOSPC
from io import FileIO
from pathlib import Path
from typing import Any, Protocol

from greenrun.model import json_codec
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.interfaces import Clock
from greenrun.model.text import writable

_BEGINNING = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: what, to which resource, and how far it got (`begun`, `done` or `failed`)."""

    time: str
    action: str
    subject: str
    state: str
    facts: dict[str, str]


class Changes(Protocol):
    """Where remote changes are accounted for: a journal, or the guard around it."""

    def change(self, action: str, subject: str, **facts: str) -> AbstractContextManager[None]:
        """Account for one remote change, which is what is done within."""


class Write(Protocol):
    """Writes one line: how far a change of a subject got, with facts about it."""

    def __call__(self, action: str, subject: str, state: str, **facts: str) -> None: ...


@contextmanager
def accounted(write: Write, action: str, subject: str, facts: Mapping[str, str]) -> Iterator[None]:
    """Account for one remote change: `begun` before it, then `done` or `failed`."""
    write(action, subject, "begun", **facts)
    try:
        yield
    except BaseException as error:
        write(action, subject, "failed", **{**facts, "error": type(error).__name__})
        raise
    write(action, subject, "done", **facts)


class Journal:
    """An append-only file of JSON lines, each on disk before the next thing happens.

    Every line holds the sha256 of the line before it, so that a gap or an edit shows. What a killed
    process has left of its last line is no line: it was on its way to the disk, and is cut off. The
    file is opened by the first that reads or writes it, so that a run can begin without.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._before_this_run: int | None = None

    def change(self, action: str, subject: str, **facts: str) -> AbstractContextManager[None]:
        """Account for one remote change: `begun` before it, then `done` or `failed`."""
        return accounted(self.write, action, subject, facts)

    def note(self, action: str, subject: str, **facts: str) -> None:
        """Account for something that was found out, and changed nothing."""
        self.write(action, subject, "noted", **facts)

    def write(self, action: str, subject: str, state: str, **facts: str) -> None:
        """Append one line. Raises OSError where the disk does not take it; no part of it stays."""
        lines = self._lines()
        entry = json.dumps(
            {
                "time": self._clock.now().isoformat(),
                "action": action,
                "subject": writable(subject),
                "state": state,
                "facts": {name: writable(text) for name, text in facts.items()},
                "previous": _hash(lines[-1]) if lines else _BEGINNING,
            }
        )
        data = f"{entry}\n".encode()
        with self.path.open("ab", buffering=0) as file:
            end = file.tell()
            try:
                _write_all(data, file)
            except BaseException:
                with suppress(OSError):
                    file.truncate(end)
                raise

    def entries(self) -> tuple[Entry, ...]:
        """All that was written, oldest first.

        Raises:
            ReleaseError: a line is not what was written: the chain of hashes breaks there.
        """
        previous, found = _BEGINNING, []
        for number, line in enumerate(self._lines(), 1):
            entry = _entry(line, previous)
            if entry is None:
                raise ReleaseError(
                    f"{self.path.name}:{number}: this line, or the one before it, was changed",
                    hint="keep the file as evidence under another name; a new one will be begun",
                )
            found.append(entry)
            previous = _hash(line)
        return tuple(found)

    def is_whole(self) -> None:
        """Check that every change of this run has ended, and no line of any run was changed.

        Raises:
            GateClosed: naming what is open or broken, or that nothing was journalled at all.
        """
        try:
            entries = self.entries()[self._before_this_run :]
        except ReleaseError as error:
            raise GateClosed(f"journal: {error.message}", hint=error.hint) from error
        begun = Counter(_change(entry) for entry in entries if entry.state == "begun")
        ended = Counter(_change(entry) for entry in entries if entry.state in {"done", "failed"})
        still_open = [" ".join(change) for change in begun - ended]
        if still_open or not begun:
            found = ", ".join(still_open) or "no change at all"
            raise GateClosed(f"journal: got {found} without an end, needs every change ended")

    def _lines(self) -> list[str]:
        """Bytes that are no text are told like any other change of a line."""
        if self._before_this_run is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._cut_off_unfinished()
            self._before_this_run = len(self._read())
        return self._read()

    def _read(self) -> list[str]:
        if not self.path.is_file():
            return []
        return self.path.read_text("utf-8", errors="backslashreplace").splitlines()

    def _cut_off_unfinished(self) -> None:
        if not self.path.is_file():
            return
        with self.path.open("rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)


def _write_all(data: bytes, file: FileIO) -> None:
    written = file.write(data)
    if written != len(data):
        raise OSError(ENOSPC, os.strerror(ENOSPC), file.name)
    os.fsync(file.fileno())


def _entry(line: str, previous: str) -> Entry | None:
    """What a line says; None where it does not follow from the one before it."""
    try:
        fields = json_codec.document(line, "line", _fields)
    except ValueError:
        return None
    follows = fields.pop("previous") == previous
    return Entry(**fields) if follows else None


def _fields(found: object, key: str) -> dict[str, Any]:
    return json_codec.fields(found, key, _FIELDS)


_FIELDS: Mapping[str, json_codec.Read[object]] = {
    **dict.fromkeys(("time", "action", "subject", "state", "previous"), json_codec.text),
    "facts": json_codec.texts,
}


def _change(entry: Entry) -> tuple[str, str]:
    return entry.action, entry.subject


def _hash(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
