"""The output of a container, as the engine keeps it."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from operator import attrgetter
from threading import Lock, Thread

from docker.errors import NotFound
from docker.models.containers import Container

from cloudrun_emulator.core.interfaces import LogLine

_END_TIMEOUT = 5.0
"""Seconds for the engine to end a followed log after the container has ended."""


class ContainerLog:
    """Both streams, followed while the container runs, and read whole once it has ended.

    Reading again at the end costs little, and a line that a follower missed is not lost.
    """

    def __init__(self, container: Container) -> None:
        self._streams = [_Stream(container, "stdout"), _Stream(container, "stderr")]

    def lines(self) -> Sequence[LogLine]:
        """Return both streams by time, to the microsecond."""
        return tuple(heapq.merge(*(it.lines for it in self._streams), key=attrgetter("time")))

    @property
    def ended(self) -> bool:
        """Whether the engine has ended a stream, which it does when the container ends."""
        return any(stream.ended for stream in self._streams)

    def complete(self) -> None:
        """Once the container has ended and before it is removed. Idempotent."""
        for stream in self._streams:
            stream.complete()


class _Stream:
    def __init__(self, container: Container, name: str) -> None:
        self.lines: Sequence[LogLine] = []
        self._container = container
        self._name = name
        self._completed = False
        self._lock = Lock()
        self._follower = Thread(target=self._follow, name=f"log {container.name}", daemon=True)
        self._follower.start()

    @property
    def ended(self) -> bool:
        return not self._follower.is_alive()

    def complete(self) -> None:
        with self._lock, suppress(NotFound):
            if not self._completed:
                self._follower.join(_END_TIMEOUT)
                self.lines = list(self._read(follow=False))
                self._completed = True

    def _follow(self) -> None:
        lines: list[LogLine] = []
        self.lines = lines
        with suppress(NotFound):
            for line in self._read(follow=True):
                lines.append(line)  # noqa: PERF402 - one by one, as they come

    def _read(self, *, follow: bool) -> Iterator[LogLine]:
        frames = self._container.logs(
            stdout=self._name == "stdout",
            stderr=self._name == "stderr",
            stream=True,
            timestamps=True,
            follow=follow,
        )
        for time, text in whole_lines(frames):
            yield LogLine(time, self._name, text)


def whole_lines(frames: Iterable[bytes]) -> Iterator[tuple[datetime, str]]:
    """Lines with the time of their start, in UTC.

    The engine cuts what is longer than 16 KiB into frames; each of them starts with its time, and
    the last of a line ends with a line feed.
    """
    began, parts = None, []
    for frame in frames:
        time, _, text = frame.partition(b" ")
        began = began or datetime.fromisoformat(time.decode())
        parts.append(text)
        if text.endswith(b"\n"):
            yield began, _joined(parts)
            began, parts = None, []
    if began:
        yield began, _joined(parts)


def _joined(parts: Sequence[bytes]) -> str:
    return b"".join(parts).decode(errors="replace").removesuffix("\n")
