"""Judges: each weighs the evidence of one metric source; the worst outcome decides."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from greenrun.canary.sources.source import Measurement, MetricSource
from greenrun.model.canary_step import Observation, PeakObservation
from greenrun.model.stats import (
    UNKNOWN,
    Counts,
    ErrorRateComparison,
    Histogram,
    Outcome,
    Results,
    Sample,
    SequentialTest,
)
from greenrun.model.stats.result import WORST_FIRST

_MS = timedelta(milliseconds=1)
_OF_ERRORS = {"errors", "error limit"}


class Judge(Protocol):
    """Has a say in the outcome of each step."""

    def start_step(self, share: int) -> None:
        """Begin with another share of the users, in percent: no pass until it passes anew."""

    def is_due(self, at: timedelta) -> bool:
        """Return True where there may be something new to observe."""

    def observe(
        self, began: timedelta, at: timedelta, *, last: bool
    ) -> Observation | PeakObservation:
        """Observe, and judge; `began` is when the split was in effect, `last` ends the step."""

    @property
    def outcome(self) -> Outcome:
        """By what was observed until now."""

    @property
    def sentence(self) -> str:
        """The reason of the outcome, and who counted."""


class RequestJudge:
    """Tests the requests that one metric source counts, over all steps of a canary.

    Errors are compared of each probe, too, where there are several: a rise in one of many is soon
    drowned in the others. Half of alpha is for that, in equal parts. A probe can only fail; the
    pass is for the whole. `reference`: the baseline's latencies of earlier times, where known.
    """

    def __init__(
        self,
        source: MetricSource,
        test: SequentialTest,
        probes: Iterable[str] = (),
        latency_floor: timedelta = timedelta(),
        reference: Histogram = UNKNOWN,
    ) -> None:
        names = tuple(probes)
        several = len(names) > 1
        self.source = source
        self._floor = _floor_milliseconds(test, latency_floor)
        self._test = replace(test, alpha=test.alpha / 2) if several else test
        known = with_latency_floor(Sample(Counts(), reference), self._floor)
        self._results = self._test.start(known.latencies)
        alpha = test.alpha / 2 / len(names) if several else test.alpha
        self._probe_test = ErrorRateComparison(alpha, test.max_error_increase, test.beta)
        self._by_probe = {name: self._probe_test.start() for name in names} if several else {}
        self._observed_at: timedelta | None = None

    def start_step(self, share: int) -> None:
        """Begin with another share of the users: evidence for the candidate starts anew."""
        self.source.start_step(share)
        self._start_evidence_anew()

    def _start_evidence_anew(self) -> None:
        self._results = self._test.next_step(self._results)
        self._by_probe = {
            name: self._probe_test.next_step(had) for name, had in self._by_probe.items()
        }

    def is_due(self, at: timedelta) -> bool:
        """Return True where the source may know more than at the last observation."""
        return self._observed_at is None or at - self._observed_at >= self.source.interval

    def observe(self, began: timedelta, at: timedelta, *, last: bool) -> Observation:
        """Read the source, and test what it has counted; `last` tests what is left over, too.

        What it reports within its lag, from `began` on, is still of the step before: it may count
        against the candidate, not for it.
        """
        measured = self.source.read()
        self._observed_at = at
        self._update(measured, last=last)
        if at - began < self.source.lag:
            self._start_evidence_anew()
        return Observation(
            at, self.source.counted_by, measured.candidate, measured.baseline, self.results
        )

    def _update(self, measured: Measurement, *, last: bool) -> None:
        one, other = (
            with_latency_floor(each, self._floor)
            for each in (measured.candidate, measured.baseline)
        )
        self._results = self._test.update(self._results, one, other, last=last)
        self._by_probe = {
            name: self._probe_test.update(had, *measured.probes[name], last=last)
            for name, had in self._by_probe.items()
        }

    @property
    def results(self) -> Results:
        """Of every part that can pass, and of the probes that have failed."""
        failed = {at: had for at, had in self._by_probe.items() if had.outcome is Outcome.FAIL}
        return Results({**self._results.by_part, **failed})

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of all parts and probes."""
        return self.results.outcome

    @property
    def sentence(self) -> str:
        """The verdict of the decisive part, and who counted."""
        decisive = self.results.decisive
        if decisive in self._by_probe:
            sentence = f"{decisive}: {self._by_probe[decisive].sentence()}"
        else:
            sentence = self._test.sentence(self._results) + self._where(decisive)
        return f"{sentence} ({self.source.counted_by.value})"

    def _where(self, decisive: str) -> str:
        """Name the probes of the candidate's errors, unless they are everywhere."""
        failing = [name for name, result in self._by_probe.items() if result.candidate.bad]
        some = decisive in _OF_ERRORS and 0 < len(failing) < len(self._by_probe)
        return f", all of the candidate's on {' and '.join(failing)}" if some else ""


def _floor_milliseconds(test: SequentialTest, floor: timedelta) -> float:
    """What takes less counts as equally fast; no limit lies below it."""
    return min([floor / _MS, *(limit for _, limit in test.latency_limits)])


def with_latency_floor(sample: Sample, milliseconds: float) -> Sample:
    """Merge all buckets of latency below the floor."""
    latencies = sample.latencies
    first = bisect_right(latencies.bounds, milliseconds) - 1
    if first < 1:
        return sample
    below = sum(latencies.counts[: first + 1])
    counts = (below, *latencies.counts[first + 1 :])
    return replace(sample, latencies=Histogram(latencies.bounds[first:], counts))


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of all evidence so far."""

    outcome: Outcome
    sentence: str


def decide(judges: Iterable[Judge]) -> Decision:
    """Return the worst outcome: one failure is enough, and a pass needs all."""
    judge = min(judges, key=lambda one: WORST_FIRST.index(one.outcome))
    return Decision(judge.outcome, judge.sentence)
