"""How our own probes of one revision went, path by path."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock

from greenrun.model.histogram import Histogram
from greenrun.model.stats import Counts, Sample

WARM_UP = 3
"""Probes of a path that are not counted: they meet cold caches, and open connections."""

_BUCKETS = Histogram.exponential(110, 1.1, 1.0)
"""From 1 ms to 36 s, each bound a tenth above the one before."""

_MS = timedelta(milliseconds=1)


@dataclass(slots=True)
class _Count:
    seen: int = 0
    good: int = 0
    bad: int = 0
    latencies: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS.bounds) + 1))

    def add(self, latency: timedelta | None, *, good: bool) -> None:
        self.seen += 1
        if self.seen <= WARM_UP:
            return
        self.good, self.bad = self.good + good, self.bad + (not good)
        if latency is not None:
            self.latencies[bisect_right(_BUCKETS.bounds, latency / _MS)] += 1

    @property
    def sample(self) -> Sample:
        latencies = Histogram(_BUCKETS.bounds, tuple(self.latencies))
        return Sample(Counts(self.good, self.bad), latencies)


class Tally:
    """Counts while others read."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._lock = Lock()
        self._counts = {path: _Count() for path in paths}

    def add(self, path: str, latency: timedelta | None, *, good: bool) -> None:
        """One more probe; `latency` is None where no answer came."""
        with self._lock:
            self._counts[path].add(latency, good=good)

    def samples(self) -> Mapping[str, Sample]:
        """By path."""
        with self._lock:
            return {path: count.sample for path, count in self._counts.items()}


def total(samples: Iterable[Sample], seconds: float) -> Sample:
    """All of them together, counted in so many seconds."""
    counts, latencies = Counts(), Histogram(_BUCKETS.bounds)
    for sample in samples:
        counts, latencies = counts + sample.counts, latencies + sample.latencies
    return Sample(counts, latencies, seconds)
