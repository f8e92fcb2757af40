"""How much of its memory each instance of a revision uses, looked at again and again."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from greenrun.local_cloud.machinery import Instance, InstanceSpec

EVERY = timedelta(seconds=1)
"""Between two looks. Google's are sixty seconds apart; its points cover sixty, and ours one."""

_KEPT = 100_000

Running = Callable[[], Iterable[tuple[InstanceSpec, Instance]]]
"""Tells the instances that have not ended."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class MemorySample:
    """One look at one instance: `share` of its limit, 0 to 1."""

    time: datetime
    resource: Mapping[str, str]
    share: float


class MemoryWatch:
    """Looks at the instances of revisions until it is closed; those without limits give nothing."""

    def __init__(
        self,
        running: Running,
        every: timedelta = EVERY,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._running = running
        self._every = every
        self._clock = clock
        self._samples: deque[MemorySample] = deque(maxlen=_KEPT)
        self._over = Event()
        self._thread = Thread(target=self._watch, name="memory", daemon=True)
        self._thread.start()

    def samples(self) -> Sequence[MemorySample]:
        """All of them, oldest first; the last 100 000."""
        return list(self._samples)

    def close(self) -> None:
        """Look no more. Idempotent."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self._every.total_seconds()):
            self._samples.extend(self._look())

    def _look(self) -> Iterator[MemorySample]:
        for spec, instance in self._running():
            if self._over.is_set():
                return
            used = instance.memory_bytes()
            if used is not None and spec.resource["type"] == "cloud_run_revision":
                yield MemorySample(self._clock(), spec.resource, used / spec.memory_bytes)
