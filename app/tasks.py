"""The queue in which analyses wait for a worker."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any

from prometheus_client import Gauge

log = logging.getLogger(__name__)


class MemoryTaskQueue:
    """Runs blocking jobs in order of arrival; draining it leaves none behind."""

    def __init__(self, workers: int, depth: Gauge) -> None:
        self._workers = workers
        self._threads = ThreadPoolExecutor(workers)
        self._depth = depth

    def start(self) -> None:
        log.info("MemoryTaskQueue started with %d workers", self._workers)
        all_here = Barrier(self._workers + 1)
        for number in range(self._workers):
            self._threads.submit(_arrive, number, all_here)
        all_here.wait()

    def submit(self, job: Callable[[], Any]) -> Future[Any]:
        self._depth.inc()
        outcome = self._threads.submit(job)
        outcome.add_done_callback(self._finish)
        return outcome

    def drain(self) -> None:
        self._threads.shutdown()
        log.info("MemoryTaskQueue drained")

    def _finish(self, outcome: Future[Any]) -> None:
        self._depth.dec()
        if not outcome.cancelled() and (error := outcome.exception()):
            log.error("Job failed: %s", error)


def _arrive(number: int, all_here: Barrier) -> None:
    log.info("Worker %d started", number)
    all_here.wait()
