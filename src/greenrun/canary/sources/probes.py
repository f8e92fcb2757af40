"""Our own requests to both revisions, side by side, through their revision tags."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from secrets import SystemRandom
from threading import Event, Thread
from time import monotonic
from typing import Self

from greenrun.canary.sources.source import MetricSource, Reading
from greenrun.canary.sources.tally import Tally, total
from greenrun.model.canary_step import CountedBy
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import HttpClient, HttpRequest
from greenrun.model.plan import CanaryPlan

_MOST_UNDER_WAY = 32
"""Most probes of one revision at once: so many wait for one that has stopped to answer."""

_PATIENCE = timedelta(seconds=10)
"""Nobody waits longer for an answer."""

_LAST_ANSWERS = 0.5
"""Seconds that what is under way is waited for at the end."""

_LAST_GOOD = 399
"""Users get what they asked for, or are sent to it."""


Headers = Callable[[], Mapping[str, str]]
"""Who we are, asked for each probe: tokens lapse. Raises ReleaseError where nobody says it."""


@dataclass(frozen=True, slots=True)
class Side:
    """One revision: its URL, and how it answered."""

    url: str
    tally: Tally = field(repr=False)
    under_way: set[Future[None]] = field(default_factory=set, repr=False)


class Probes(AbstractContextManager["Probes"]):
    """Sends them at the planned rate until it is left.

    Chance says which of the two gets a probe, so that no moment is worse for one of them, each its
    part as the plan has it; and none waits for the answer to the one before, nor for the other
    revision. No answer, and any that is neither 2xx nor 3xx, is bad.
    """

    def __init__(
        self, plan: CanaryPlan, candidate: str, baseline: str, headers: Headers, web: HttpClient
    ) -> None:
        self._plan = plan
        self._candidate = Side(candidate, Tally(plan.probe_paths))
        self._baseline = Side(baseline, Tally(plan.probe_paths))
        self._headers = headers
        self._web = web
        self._chance = SystemRandom()
        self._candidates_part = 0.5
        self._over = Event()
        self._failed: Exception | None = None
        self._began = monotonic()
        self._pool = ThreadPoolExecutor(2 * _MOST_UNDER_WAY, thread_name_prefix="probe")
        self._pace = Thread(target=self._send, name="probes", daemon=True)

    @property
    def metric_source(self) -> MetricSource:
        """They can be asked at every moment."""
        return MetricSource(CountedBy.PROBES, self.read, rise=self._rise)

    def __enter__(self) -> Self:
        self._began = monotonic()
        self._pace.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; who hangs is left behind, as users may be waiting for their way back."""
        self._over.set()
        self._pace.join(_LAST_ANSWERS)
        wait(self._candidate.under_way | self._baseline.under_way, _LAST_ANSWERS)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def read(self) -> Reading:
        """What was answered by now.

        Raises what has kept a probe from being sent or counted, as where nobody says any more who
        we are: that blames neither revision.
        """
        if self._failed:
            raise self._failed
        seconds = monotonic() - self._began
        one, other = self._candidate.tally.samples(), self._baseline.tally.samples()
        paths = {path: (one[path].counts, other[path].counts) for path in one}
        return Reading(total(one.values(), seconds), total(other.values(), seconds), paths)

    def _send(self) -> None:
        interval, due = 1 / self._plan.probes_per_second, monotonic()
        paths = cycle(self._plan.probe_paths)
        while not (self._failed or self._over.wait(max(0.0, due - monotonic()))):
            due = max(due, monotonic() - interval) + interval
            side = self._side()
            if len(side.under_way) < _MOST_UNDER_WAY:
                self._submit(side, next(paths))

    def _submit(self, side: Side, path: str) -> None:
        with self._failures_kept():
            probe = self._pool.submit(self._probe, side, path, self._headers())
            side.under_way.add(probe)
            probe.add_done_callback(side.under_way.discard)

    @contextmanager
    def _failures_kept(self) -> Iterator[None]:
        """For who reads. Once it is over nobody does, and the pool takes no more probes."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise it to
            if not self._over.is_set():
                self._failed = self._failed or error

    def _rise(self, share: int) -> None:
        self._candidates_part = self._plan.probed_share(share)

    def _side(self) -> Side:
        drawn = self._chance.random() < self._candidates_part
        return self._candidate if drawn else self._baseline

    def _probe(self, side: Side, path: str, headers: Mapping[str, str]) -> None:
        with self._failures_kept():
            try:
                answer = self._web.ask(
                    HttpRequest(side.url + path, headers=headers, within=_PATIENCE)
                )
                side.tally.add(path, answer.latency, good=answer.status <= _LAST_GOOD)
            except CallFailed:
                side.tally.add(path, None, good=False)
