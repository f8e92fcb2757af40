"""One attempt at a task: a container from its start to its end."""

import time
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

from cloudrun_emulator.core.interfaces import Fleet, Instance, InstanceSpec

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Attempt:
    """How it ended: by itself with an exit code, at its time-out, or because it was cancelled."""

    exit_code: int = 0
    timed_out: bool = False
    cancelled: bool = False

    @property
    def succeeded(self) -> bool:
        return not (self.exit_code or self.timed_out or self.cancelled)


def attempt(fleet: Fleet, spec: InstanceSpec, timeout: timedelta, cancelled: Event) -> Attempt:
    """Return when the container is gone; raises what Fleet.start raises."""
    instance = fleet.start(spec)
    try:
        return _end(instance, timeout, cancelled)
    finally:
        instance.stop()


def _end(instance: Instance, timeout: timedelta, cancelled: Event) -> Attempt:
    deadline = time.monotonic() + timeout.total_seconds()
    while (code := instance.exit_code()) is None:
        if cancelled.wait(_POLL_SECONDS):
            return Attempt(cancelled=True)
        if time.monotonic() > deadline:
            return Attempt(timed_out=True)
    return Attempt(exit_code=code)
