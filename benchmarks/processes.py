"""What a process and those that it started have used of the processors, while they ran."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Self

INTERVAL = timedelta(milliseconds=200)
Used = dict[str, float]
"""Seconds of processor time by command."""

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds of processor time up to a moment, by the process that used them."""

    at: float
    used: dict[int, float]


@dataclass
class Meter:
    """Looks at a process tree until it is left; Linux alone can tell.

    A process that ended keeps what it had used when it was last seen.
    """

    root: int
    samples: list[Sample] = field(default_factory=list)
    commands: dict[int, str] = field(default_factory=dict)
    _over: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def used(self) -> Used:
        """As the last samples saw it."""
        return self._used(self.samples[-1], {})

    def used_between(self, begin: datetime, end: datetime) -> Used:
        """Seconds by command, between the samples that are nearest to these times."""
        first, last = (self._nearest(at.timestamp()) for at in (begin, end))
        return self._used(last, first.used)

    def _used(self, until: Sample, since: Mapping[int, float]) -> Used:
        used: Used = defaultdict(float)
        for pid, seconds in until.used.items():
            used[self.commands[pid]] += seconds - since.get(pid, 0.0)
        return used

    def _nearest(self, at: float) -> Sample:
        return min(self.samples, key=lambda sample: abs(sample.at - at))

    def _watch(self) -> None:
        used: dict[int, float] = {}
        while True:
            for pid, seconds in _tree(self.root):
                used[pid] = seconds
                self.commands[pid] = _command(pid) or self.commands.get(pid, "")
            self.samples.append(Sample(datetime.now().astimezone().timestamp(), dict(used)))
            if self._over.wait(INTERVAL.total_seconds()):
                return


def _tree(root: int) -> Iterator[tuple[int, float]]:
    """Every process beneath `root`, itself among them, with the seconds that it has used."""
    children: dict[int, list[int]] = defaultdict(list)
    used: dict[int, float] = {}
    for pid, parent, seconds in _processes():
        children[parent].append(pid)
        used[pid] = seconds
    found = [root]
    for pid in found:
        found += children[pid]
        if pid in used:
            yield pid, used[pid]


def _processes() -> Iterator[tuple[int, int, float]]:
    """Fields 4, 14 and 15 of /proc/PID/stat (man 5 proc)."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields: Sequence[str] = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        yield int(path.parent.name), int(fields[1]), (int(fields[11]) + int(fields[12])) / _TICKS


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
