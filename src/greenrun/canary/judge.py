"""The verdict: the evidence of each who counts, and what all of it comes to."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from greenrun.canary.latencies import floor_of, floored
from greenrun.canary.sources.source import MetricSource, Reading
from greenrun.model.canary_step import MemoryObservation, Observation
from greenrun.model.histogram import UNKNOWN, Histogram
from greenrun.model.stats import Counts, Outcome, Results, Sample, Sequential, SequentialTest

_WORST_FIRST = (Outcome.FAIL, Outcome.NO_DATA, Outcome.INCONCLUSIVE, Outcome.PASS)
_ERRORS = {"errors", "error limit"}


class Judging(Protocol):
    """Whoever has a say in the outcome."""

    def rise(self, share: int) -> None:
        """Another share of the users, in percent: what was told before is no pass any more."""

    def due(self, now: datetime) -> bool:
        """True where there may be something new to see."""

    def observation(
        self, began: datetime, now: datetime, *, last: bool
    ) -> Observation | MemoryObservation:
        """Look, and judge; `began` is when the split was in effect, `last` of all looks at it."""

    @property
    def outcome(self) -> Outcome:
        """By what was seen until now."""

    @property
    def sentence(self) -> str:
        """Why, as people say it, and who has told."""


class Judge:
    """Weighs what one witness counts, over all steps of a canary.

    Errors are compared of each path, too, where there are several: a rise in one of many is soon
    drowned in the others. Half of alpha is for that, in equal parts. A path can only fail; the pass
    is for the whole. `reference`: the baseline's latencies of earlier times, where they are known.
    """

    def __init__(
        self,
        metric_source: MetricSource,
        trial: SequentialTest,
        paths: Iterable[str] = (),
        latency_floor: timedelta = timedelta(),
        reference: Histogram = UNKNOWN,
    ) -> None:
        names = tuple(dict.fromkeys(paths))
        several = len(names) > 1
        self.metric_source = metric_source
        self._floor = floor_of(trial, latency_floor)
        self._trial = replace(trial, alpha=trial.alpha / 2) if several else trial
        known = floored(Sample(Counts(), reference), self._floor)
        self._standings = self._trial.begin(known.latencies)
        alpha = trial.alpha / 2 / len(names) if several else trial.alpha
        self._test = Sequential(alpha, trial.max_error_increase, trial.beta)
        self._paths = {name: self._test.begin() for name in names} if several else {}
        self._asked: datetime | None = None

    def rise(self, share: int) -> None:
        """Another share of the users, in percent: ask anew for evidence for the candidate."""
        self.metric_source.rise(share)
        self._next_step()

    def _next_step(self) -> None:
        self._standings = self._trial.next_step(self._standings)
        self._paths = {path: self._test.next_step(had) for path, had in self._paths.items()}

    def due(self, now: datetime) -> bool:
        """True where the witness may know more than when it was asked last."""
        return self._asked is None or now - self._asked >= self.metric_source.every

    def observation(self, began: datetime, now: datetime, *, last: bool) -> Observation:
        """Ask the witness, and weigh it; `last` weighs what is left over, too.

        What it tells in the first moments of a step, which `began` then, is still of the one
        before: it may speak against the candidate, not for it.
        """
        reading = self.metric_source.read()
        self._asked = now
        self._weigh(reading, last=last)
        if now - began < self.metric_source.lag:
            self._next_step()
        return Observation(
            now, self.metric_source.counted_by, reading.candidate, reading.baseline, self.results
        )

    @property
    def results(self) -> Results:
        """Of everything that can pass, and of the paths that have failed."""
        failed = {at: look for at, look in self._paths.items() if look.outcome is Outcome.FAIL}
        return Results({**self._standings.looks, **failed})

    @property
    def outcome(self) -> Outcome:
        """The worst of them."""
        return self.results.outcome

    @property
    def sentence(self) -> str:
        """What decided, as people say it, and who counted."""
        decisive = self.results.decisive
        if decisive in self._paths:
            told = f"{decisive}: {self._paths[decisive].sentence()}"
        else:
            told = self._trial.sentence(self._standings) + self._only(decisive)
        return f"{told} ({self.metric_source.counted_by.value})"

    def _weigh(self, reading: Reading, *, last: bool) -> None:
        one, other = (floored(each, self._floor) for each in (reading.candidate, reading.baseline))
        self._standings = self._trial.look(self._standings, one, other, last=last)
        self._paths = {
            path: self._test.look(had, *reading.paths[path], last=last)
            for path, had in self._paths.items()
        }

    def _only(self, decisive: str) -> str:
        """Where the candidate's errors are, unless they are everywhere."""
        failing = [path for path, look in self._paths.items() if look.candidate.bad]
        some = decisive in _ERRORS and 0 < len(failing) < len(self._paths)
        return f", all of the candidate's on {' and '.join(failing)}" if some else ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What all evidence comes to by now."""

    outcome: Outcome
    sentence: str


def decide(judges: Iterable[Judging]) -> Decision:
    """The worst outcome: one failure is enough, and a pass needs all."""
    judge = min(judges, key=lambda one: _WORST_FIRST.index(one.outcome))
    return Decision(judge.outcome, judge.sentence)
