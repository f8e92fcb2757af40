"""The fleet: every instance of a cloud, and what it wrote."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from operator import attrgetter
from threading import Lock

from cloudrun_emulator.core.interfaces import (
    STOP_GRACE,
    SYSTEM,
    Instance,
    InstanceSpec,
    LogLine,
    Runtime,
    StartRefused,
)
from cloudrun_emulator.core.time import utc_now

_AT_ONCE = 4
"""Docker 20.10 locks itself up for good when many containers leave one network at the same moment
(libnetwork: getSvcRecords against processEndpointDelete); the fewer do, the less likely it is."""


class InstanceFleet:
    """Remembers every instance that it started, so that its output outlives it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._started: list[tuple[InstanceSpec, Instance]] = []
        self._noted: list[tuple[InstanceSpec, LogLine]] = []
        self._lock = Lock()
        self._closed = False

    def __repr__(self) -> str:
        return f"InstanceFleet({len(self._started)} started)"

    def start(self, spec: InstanceSpec, beside: Instance | None = None) -> Instance:
        """Raise ImageMissing or StartRefused; the latter also once the fleet is closed."""
        if self._closed:
            raise StartRefused(f"{spec.name}: the cloud is closing")
        instance = self._runtime.start(spec, beside)
        with self._lock:
            self._started.append((spec, instance))
        return instance

    def running(self) -> Iterator[tuple[InstanceSpec, Instance]]:
        """The instances that have not ended."""
        for spec, instance in tuple(self._started):
            if instance.exit_code() is None:
                yield spec, instance

    def note(self, spec: InstanceSpec, severity: str, text: str) -> None:
        """As interfaces.Fleet."""
        self._noted.append((spec, LogLine(utc_now(), SYSTEM, text, severity)))

    def output(self) -> Iterator[tuple[InstanceSpec, LogLine]]:
        """Every line of every instance; by instance in the order of starting, then by time.

        What was noted of them comes last.
        """
        for spec, instance in tuple(self._started):
            for line in instance.lines():
                yield spec, line
        yield from tuple(self._noted)

    def close(self) -> None:
        """Stop all instances; one that is just being started is left to Runtime.close."""
        self._closed = True
        with self._lock:
            instances = [instance for _, instance in self._started]
        stop_all(instances)


class InstanceGroup:
    """Containers of one instance, in the order of their start: they end together.

    `serving` is the one that requests come to. The first holds the network of all.
    """

    def __init__(self, containers: Sequence[Instance], serving: Instance) -> None:
        self._containers = tuple(containers)
        self._serving = serving

    def __repr__(self) -> str:
        return f"InstanceGroup({', '.join(map(repr, self._containers))})"

    @property
    def address(self) -> tuple[str, int]:
        """That of the container that serves."""
        return self._serving.address

    def exit_code(self) -> int | None:
        """The first that one of them tells; None while all of them run."""
        codes = (container.exit_code() for container in self._containers)
        return next((code for code in codes if code is not None), None)

    def memory_bytes(self) -> int | None:
        """The sum of those that tell."""
        used = [container.memory_bytes() for container in self._containers]
        return sum(filter(None, used)) if any(used) else None

    def lines(self) -> Sequence[LogLine]:
        """Those of all, by time."""
        told = (container.lines() for container in self._containers)
        return tuple(heapq.merge(*told, key=attrgetter("time")))

    def stop(self, grace: timedelta = STOP_GRACE) -> None:
        """Side by side, but for the one that holds the network, which ends last."""
        first, *others = self._containers
        stop_all(others, grace)
        first.stop(grace)


def stop_all(instances: Iterable[Instance], grace: timedelta = STOP_GRACE) -> None:
    """Stop a few side by side; raise what the first one that could not be stopped raised."""
    with ThreadPoolExecutor(_AT_ONCE) as stoppers:
        for stopped in [stoppers.submit(instance.stop, grace) for instance in instances]:
            stopped.result()
