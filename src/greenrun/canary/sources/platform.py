"""The platform's own counts of both revisions."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import zip_longest

from greenrun.canary.sources.source import MetricSource, Reading
from greenrun.model.canary_step import CountedBy
from greenrun.model.interfaces import Clock, Metrics
from greenrun.model.stats import Counts, Sample

_OFTEN = 24
"""Looks within the platform's lag: as often as there is something new, and no burden."""

_NOTHING = Sample(Counts())


@dataclass(slots=True)
class PlatformCounts:
    """Counts of the same time for both: of a burst that hits both, neither may be told alone.

    Remembers the last ones: series that come late, or anew, may tell of less than before.
    """

    metrics: Metrics
    clock: Clock
    candidate: str
    baseline: str
    since: datetime
    _last: dict[str, Sample] = field(default_factory=dict)

    @property
    def metric_source(self) -> MetricSource:
        """It tells of everything once its lag is over."""
        lag = self.metrics.lag
        return MetricSource(CountedBy.PLATFORM, self.read, lag / _OFTEN, lag)

    def read(self) -> Reading:
        """Ask for what lies so long ago that all of it is told."""
        until = self.clock.now() - self.metrics.lag
        return Reading(self._sample(self.candidate, until), self._sample(self.baseline, until))

    def _sample(self, revision: str, until: datetime) -> Sample:
        before = self._last.get(revision, _NOTHING)
        if until <= self.since:
            return before
        told = self.metrics.sample(revision, self.since, until)
        found = replace(told, seconds=(until - self.since).total_seconds())
        self._last[revision] = found if _goes_on(before, found) else before
        return self._last[revision]


def _goes_on(before: Sample, found: Sample) -> bool:
    """True where no count has fallen."""
    earlier, later = before.latencies, found.latencies
    return (
        _none_less((before.counts.good, before.counts.bad), (found.counts.good, found.counts.bad))
        and (earlier.bounds == later.bounds or not earlier.total)
        and _none_less(earlier.counts, later.counts)
    )


def _none_less(before: Sequence[int], found: Sequence[int]) -> bool:
    return all(one <= other for one, other in zip_longest(before, found, fillvalue=0))
