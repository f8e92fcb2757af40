"""Measurements: the latency of requests, and the memory of instances."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread
from time import monotonic

from cloudrun_emulator.apis.logging.entries import revision_labels
from cloudrun_emulator.apis.monitoring.metrics import Series
from cloudrun_emulator.core.interfaces import Instance, InstanceSpec, ServedRequest
from cloudrun_emulator.core.time import utc_now

EVERY = timedelta(seconds=1)
"""Between two looks. Google's are sixty seconds apart; its points cover sixty, and ours one."""


_AT_ONCE = 16
"""Instances that are looked at side by side: an engine may take a second for one."""


_KEPT = 100_000


Running = Callable[[], Iterable[tuple[InstanceSpec, Instance]]]
"""Tells the instances that have not ended."""


@dataclass(frozen=True, slots=True)
class MemorySample:
    """A look at an instance: `share` of its limit, 0 to 1."""

    time: datetime
    resource: Mapping[str, str]
    share: float


class MemoryWatch:
    """Looks at the instances of revisions until it is closed; those without limits give nothing."""

    def __init__(
        self,
        running: Running,
        every: timedelta = EVERY,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._running = running
        self._every = every
        self._clock = clock
        self._samples: deque[MemorySample] = deque(maxlen=_KEPT)
        self._over = Event()
        self._thread = Thread(target=self._watch, name="memory", daemon=True)
        self._thread.start()

    def samples(self) -> Sequence[MemorySample]:
        """Return the last 100 000, oldest first."""
        return list(self._samples)

    def close(self) -> None:
        """Look no more. Idempotent."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        due = monotonic()
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="memory") as looks:
            while not self._over.wait(max(0.0, due - monotonic())):
                due = monotonic() + self._every.total_seconds()
                list(looks.map(self._look, self._running()))

    def _look(self, running: tuple[InstanceSpec, Instance]) -> None:
        """Keep what is seen at once: who waits for another tells of it too late."""
        spec, instance = running
        if self._over.is_set() or spec.resource["type"] != "cloud_run_revision":
            return
        used = instance.memory_bytes()
        if used is not None:
            share = used / spec.memory_bytes
            self._samples.append(MemorySample(self._clock(), spec.resource, share))


_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value; the point in which `time` lies counts it."""

    series: Series
    time: datetime
    value: float

    @property
    def project(self) -> str:
        return self.series["resource.labels.project_id"]


def request_measurements(requests: Iterable[ServedRequest]) -> Iterator[Measurement]:
    """The latency of each request, when it had finished."""
    for request in requests:
        status = str(request.status)
        labels = {
            "metric.labels.response_code": status,
            "metric.labels.response_code_class": f"{status[0]}xx",
        }
        series = {**_resource_fields(revision_labels(request)), **labels}
        yield Measurement(series, request.time + request.latency, request.latency / _MILLISECOND)


def memory_measurements(samples: Iterable[MemorySample]) -> Iterator[Measurement]:
    """The share of memory in use, instance by instance."""
    for sample in samples:
        yield Measurement(_resource_fields(sample.resource), sample.time, sample.share)


def _resource_fields(labels: Mapping[str, str]) -> dict[str, str]:
    return {f"resource.labels.{name}": labels[name] for name in labels if name != "type"}
