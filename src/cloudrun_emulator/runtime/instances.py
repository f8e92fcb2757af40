"""The fleet: every instance of a cloud, and what it wrote."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Lock

from cloudrun_emulator.core.interfaces import (
    STOP_GRACE,
    Instance,
    InstanceSpec,
    LogLine,
    Runtime,
    StartRefused,
)

_AT_ONCE = 4
"""Docker 20.10 locks itself up for good when many containers leave one network at the same moment
(libnetwork: getSvcRecords against processEndpointDelete); the fewer do, the less likely it is."""


class InstanceFleet:
    """Remembers every instance that it started, so that its output outlives it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._started: list[tuple[InstanceSpec, Instance]] = []
        self._lock = Lock()
        self._closed = False

    def __repr__(self) -> str:
        return f"InstanceFleet({len(self._started)} started)"

    def start(self, spec: InstanceSpec) -> Instance:
        """Raise ImageMissing or StartRefused; the latter also once the fleet is closed."""
        if self._closed:
            raise StartRefused(f"{spec.name}: the cloud is closing")
        instance = self._runtime.start(spec)
        with self._lock:
            self._started.append((spec, instance))
        return instance

    def running(self) -> Iterator[tuple[InstanceSpec, Instance]]:
        """The instances that have not ended."""
        for spec, instance in tuple(self._started):
            if instance.exit_code() is None:
                yield spec, instance

    def output(self) -> Iterator[tuple[InstanceSpec, LogLine]]:
        """Every line of every instance; by instance in the order of starting, then by time."""
        for spec, instance in tuple(self._started):
            for line in instance.lines():
                yield spec, line

    def close(self) -> None:
        """Stop all instances; one that is just being started is left to Runtime.close."""
        self._closed = True
        with self._lock:
            instances = [instance for _, instance in self._started]
        stop_all(instances)


def stop_all(instances: Iterable[Instance], grace: timedelta = STOP_GRACE) -> None:
    """Stop a few side by side; raise what the first one that could not be stopped raised."""
    with ThreadPoolExecutor(_AT_ONCE) as stoppers:
        for stopped in [stoppers.submit(instance.stop, grace) for instance in instances]:
            stopped.result()
