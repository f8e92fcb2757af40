"""Gauges of the platform whose peak has a limit: no matter of chance.

A new one is a row of GAUGES, and a row of the adapter that reads it.
"""

from dataclasses import dataclass
from datetime import timedelta

from greenrun.canary.sources.platform import PlatformMetrics
from greenrun.model.canary_step import CountedBy, PeakObservation
from greenrun.model.objective import Quantity
from greenrun.model.stats import Outcome


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure of each instance, as tables of objectives name it."""

    measure: str
    unit: str
    metric: str
    """The platform's name of it."""
    used: str
    """What the candidate did, with the value in it."""
    relief: str
    """What to do about too much."""

    @property
    def if_unreported(self) -> str:
        """What to do where the platform reports nothing."""
        return (
            f"the platform has reported nothing new of the metric {self.metric}: on Google it does "
            "so each minute, some minutes late; allow more time (`canary.max-duration`), or take "
            f"the row `{self.measure}` out of the objectives"
        )


GAUGES = {
    gauge.measure: gauge
    for gauge in [
        Gauge(
            measure="memory",
            unit="%",
            metric="container/memory/utilizations",
            used="used {} of its memory",
            relief="find what keeps the memory, or let it have more (`deploy.memory`)",
        ),
    ]
}


class PeakJudge:
    """Compares the peak since the canary began with a limit.

    It takes no part of alpha. A failure stays one; a pass needs that something was reported since
    the share rose. The baseline's peak is read for comparison.
    """

    def __init__(self, gauge: Gauge, limit: Quantity, source: PlatformMetrics) -> None:
        self._gauge = gauge
        self._limit = limit
        self._source = source
        self._peaks: dict[str, Quantity] = {}
        self._is_reported = False
        self._observed_at: timedelta | None = None

    def start_step(self, share: int) -> None:  # noqa: ARG002 - of whatever share, it is a new one
        """Wait for what is reported of the new share."""
        self._is_reported = False

    def is_due(self, at: timedelta) -> bool:
        """Return True where the platform may know more than at the last observation."""
        return self._observed_at is None or at - self._observed_at >= self._source.interval

    def observe(self, began: timedelta, at: timedelta, *, last: bool) -> PeakObservation:  # noqa: ARG002 - nothing is left over
        """Read the peaks; `began` is when the split was in effect."""
        self._observed_at = at
        candidate, baseline = self._source.candidate, self._source.baseline
        self._is_reported = self._update(candidate, began) or self._is_reported
        for revision in (candidate, baseline):
            self._update(revision)
        return PeakObservation(
            at,
            self._gauge.measure,
            self._peaks.get(candidate),
            self._peaks.get(baseline),
            self._limit,
            self.outcome,
            self._remedy,
        )

    def _update(self, revision: str, since: timedelta | None = None) -> bool:
        """Return True where something is reported; the highest is kept, as series may shrink."""
        found = self._source.peak(self._gauge.measure, revision, since)
        if found is not None:
            before = self._peaks.get(revision, found)
            self._peaks[revision] = max(before, found, key=lambda peak: peak.value)
        return found is not None

    @property
    def outcome(self) -> Outcome:
        """Never inconclusive: what is reported decides."""
        peak = self._peaks.get(self._source.candidate)
        if peak and peak.value > self._limit.value:
            return Outcome.FAIL
        return Outcome.PASS if self._is_reported else Outcome.NO_DATA

    @property
    def sentence(self) -> str:
        """The reason of the outcome, and who counted."""
        if self.outcome is Outcome.NO_DATA:
            sentence = f"no data: no {self._gauge.measure} of the candidate is reported yet at "
            sentence += "this share"
        else:
            used = self._gauge.used.format(self._peaks[self._source.candidate])
            sentence = f"the candidate {used}"
        limit = f", needs at most {self._limit}" if self.outcome is Outcome.FAIL else ""
        return f"{sentence}{limit} ({CountedBy.PLATFORM.value})"

    @property
    def _remedy(self) -> str:
        unreported = self.outcome is Outcome.NO_DATA
        return self._gauge.if_unreported if unreported else self._gauge.relief
