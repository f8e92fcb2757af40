"""The platform's own figures of both revisions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import zip_longest

from greenrun.canary.sources.source import Measurement
from greenrun.model.canary_step import CountedBy
from greenrun.model.interfaces import Clock, Metrics
from greenrun.model.objective import Quantity
from greenrun.model.stats import Counts, Sample

_READS_PER_LAG = 24
"""As often as there is something new, and no burden."""

_NOTHING = Sample(Counts())


class PlatformMetrics:
    """Figures since the canary began.

    Both revisions are read for the same time: of a burst that hits both, neither may be told alone.
    The last counts are remembered: series that come late, or anew, may tell of less than before.

    The platform asks for wall times. They are those of the beginning plus what has passed since by
    the monotonic clock: a wall clock that is set meanwhile changes nothing.
    """

    counted_by = CountedBy.PLATFORM

    def __init__(self, metrics: Metrics, clock: Clock, candidate: str, baseline: str) -> None:
        self.candidate = candidate
        self.baseline = baseline
        self._metrics = metrics
        self._clock = clock
        self._since, self._began = clock.now(), clock.monotonic()
        self._last: dict[str, Sample] = {}

    @property
    def interval(self) -> timedelta:
        """A part of the lag."""
        return self.lag / _READS_PER_LAG

    @property
    def lag(self) -> timedelta:
        """How late the platform tells."""
        return self._metrics.lag

    def start_step(self, share: int) -> None:
        """Change nothing: the platform counts whatever comes."""

    def read(self) -> Measurement:
        """Count what lies so long ago that all of it is told."""
        until = self._wall_time(self._clock.monotonic()) - self.lag
        return Measurement(self._sample(self.candidate, until), self._sample(self.baseline, until))

    def peak(self, measure: str, revision: str, since: timedelta | None = None) -> Quantity | None:
        """Return the highest value of a gauge since then, or since the canary began.

        None where the platform tells nothing (yet).
        """
        begin = self._since if since is None else self._wall_time(since)
        until = self._wall_time(self._clock.monotonic())
        return self._metrics.highest(measure, revision, begin, until)

    def _wall_time(self, at: timedelta) -> datetime:
        return self._since + (at - self._began)

    def _sample(self, revision: str, until: datetime) -> Sample:
        before = self._last.get(revision, _NOTHING)
        if until <= self._since:
            return before
        told = self._metrics.sample(revision, self._since, until)
        found = replace(told, seconds=(until - self._since).total_seconds())
        self._last[revision] = found if _has_not_fallen(before, found) else before
        return self._last[revision]


def _has_not_fallen(before: Sample, found: Sample) -> bool:
    earlier, later = before.latencies, found.latencies
    return (
        _none_less((before.counts.good, before.counts.bad), (found.counts.good, found.counts.bad))
        and (earlier.bounds == later.bounds or not earlier.total)
        and _none_less(earlier.counts, later.counts)
    )


def _none_less(before: Sequence[int], found: Sequence[int]) -> bool:
    return all(one <= other for one, other in zip_longest(before, found, fillvalue=0))
