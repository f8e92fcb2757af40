"""The time of this machine."""

import time
from datetime import UTC, datetime, timedelta

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux stops CLOCK_MONOTONIC while a machine is suspended (clock_gettime(2))."""


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> timedelta:
        """The time since this machine began, also while it slept, where the system counts that."""
        return timedelta(seconds=time.clock_gettime(_SINCE_BOOT))

    def sleep(self, duration: timedelta) -> None:
        """Let time pass."""
        time.sleep(duration.total_seconds())
