"""What keeps something alive while its owner does something else."""

import threading
from collections.abc import Callable
from datetime import timedelta

_RETRY = 1 / 10
"""Of the time between two beats, after one that failed."""


class Heartbeat:
    """Beats in a thread of its own until it is stopped, or `beat` says that it is enough.

    A beat that fails is tried again, whatever it was: who needs the beats notices where they are
    missing.
    """

    def __init__(self, beat: Callable[[], bool], every: timedelta, name: str) -> None:
        self._beat = beat
        self._seconds = every.total_seconds()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when the last beat has ended."""
        self._ending.set()
        self._thread.join()

    def _keep_beating(self) -> None:
        pause = self._seconds
        while not self._ending.wait(pause):
            try:
                if not self._beat():
                    return
                pause = self._seconds
            except Exception:  # noqa: BLE001 - as the class says
                pause = self._seconds * _RETRY
