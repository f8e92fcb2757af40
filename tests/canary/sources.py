"""A metric source that counts what a test has it count."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from greenrun.canary.sources.source import Measurement
from greenrun.model.canary_step import CountedBy
from greenrun.model.stats import Counts, Histogram, Sample

BUCKETS = Histogram.exponential(66, 1.4, 1.0)


def sample(good: int, bad: int = 0, milliseconds: float = 5.0, seconds: float = 0.0) -> Sample:
    """Requests that have all taken the same time, counted in so many seconds."""
    counts = [0] * (len(BUCKETS.bounds) + 1)
    counts[bisect_right(BUCKETS.bounds, milliseconds)] = good + bad
    return Sample(Counts(good, bad), Histogram(BUCKETS.bounds, tuple(counts)), seconds)


def at_once(what: str, action: Callable[[], object]) -> None:
    """Do it, and let a failure be one of the test."""
    assert what
    action()


@dataclass
class SteadySource:
    """At each reading, one a second, both have answered so many more: good, bad and how fast."""

    counted_by: CountedBy
    candidate: tuple[int, int] = (100, 0)
    baseline: tuple[int, int] = (100, 0)
    slow: float = 5.0
    lag: timedelta = timedelta()
    interval: timedelta = timedelta()
    probes: Callable[[int], dict[str, tuple[Counts, Counts]]] = lambda _: {}
    asked: int = field(default=0, init=False)

    def start_step(self, share: int) -> None:
        assert 0 < share < 100

    def read(self) -> Measurement:
        self.asked += 1
        good, bad = self.candidate
        candidate = sample(good * self.asked, bad * self.asked, self.slow, self.asked)
        good, bad = self.baseline
        baseline = sample(good * self.asked, bad * self.asked, seconds=self.asked)
        return Measurement(candidate, baseline, self.probes(self.asked))
