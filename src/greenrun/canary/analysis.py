"""The analysis: a share of the users meets the candidate until the evidence decides."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from greenrun.canary import progress
from greenrun.canary.judge import Judge, decide
from greenrun.model.canary_step import CanaryStep, Observation, PeakObservation
from greenrun.model.errors import GateClosed
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import CanaryPlan
from greenrun.model.stats import Outcome

Attempt = Callable[[str, Callable[[], object]], None]
"""Takes what is attempted, in words that complete `could not ...`, and does it."""

PAUSE = timedelta(seconds=1)
"""Between two observations."""


@dataclass(slots=True)
class Canary:
    """Analyses one candidate beside one baseline. `steps` holds those that are over.

    `check_unchanged` raises where somebody else has changed the service; called at each
    observation. `attempt` does what nothing may wait for, and keeps its failure. Every duration is
    by the monotonic clock: a wall clock that is set meanwhile keeps no user on a candidate that
    fails.
    """

    plan: CanaryPlan
    judges: Sequence[Judge]
    dependencies: Dependencies = field(repr=False)
    check_unchanged: Callable[[], None] = field(repr=False)
    attempt: Attempt = field(repr=False)
    steps: list[CanaryStep] = field(default_factory=list)

    def analyse_step(self, share: int) -> CanaryStep:
        """Observe until the evidence decides: from `min_duration` to `max_duration`.

        Raises:
            GateClosed: the step has not passed.
        """
        for judge in self.judges:
            judge.start_step(share)
        with self._recorded(_RunningStep(share, self.dependencies.clock.monotonic())) as running:
            while not self._is_over(running):
                self.dependencies.clock.sleep(min(PAUSE, self.plan.max_duration))
                self.check_unchanged()
                self._observe(running)
        step = self.steps[-1]
        if step.outcome is not Outcome.PASS:
            raise GateClosed(f"the canary at {step}", hint=progress.advice(step))
        return step

    def _is_over(self, running: "_RunningStep") -> bool:
        lasted = self.dependencies.clock.monotonic() - running.began
        match decide(self.judges).outcome:
            case Outcome.FAIL:
                return True
            case Outcome.PASS:
                return lasted >= self.plan.min_duration
            case _:
                return lasted >= self.plan.max_duration

    def _observe(self, running: "_RunningStep") -> None:
        now = self.dependencies.clock.monotonic()
        left = self.plan.max_duration - (now - running.began)
        last = left <= timedelta()
        for judge in [judge for judge in self.judges if last or judge.is_due(now)]:
            running.add(judge.observe(running.began, now, last=last))
        text = progress.line(running.share, running.latest, left)
        told = self.dependencies.progress
        self.attempt("tell of it", lambda: told.report(text))
        facts = progress.look(running.share, running.latest, left)
        self.attempt("tell of it", lambda: told.note("canary_look", **facts))

    @contextmanager
    def _recorded(self, running: "_RunningStep") -> Iterator["_RunningStep"]:
        """Keep what was observed, whatever ends the step."""
        try:
            yield running
        except BaseException as error:
            reason = f"broken off: {error or type(error).__name__}"
            self._record(running, Outcome.INCONCLUSIVE, reason)
            raise
        decision = decide(self.judges)
        self._record(running, decision.outcome, decision.sentence)

    def _record(self, running: "_RunningStep", outcome: Outcome, sentence: str) -> None:
        step = CanaryStep(
            running.share,
            outcome,
            sentence,
            running.began,
            self.dependencies.clock.monotonic(),
            tuple(running.observations),
            tuple(running.peaks.values()),
        )
        self.steps.append(step)
        name, text = f"canary at {step.share} %", progress.table(step)
        self.attempt("keep evidence", lambda: self.dependencies.evidence.attach(name, text))
        facts = {"share": step.share, "verdict": outcome.value, "judged": sentence}
        self.attempt("tell of it", lambda: self.dependencies.progress.note("canary_step", **facts))


@dataclass(slots=True)
class _RunningStep:
    """All observations of requests so far, and the last one of each gauge."""

    share: int
    began: timedelta
    observations: list[Observation] = field(default_factory=list)
    peaks: dict[str, PeakObservation] = field(default_factory=dict)

    def add(self, observation: Observation | PeakObservation) -> None:
        match observation:
            case Observation():
                self.observations.append(observation)
            case PeakObservation():
                self.peaks[observation.measure] = observation

    @property
    def latest(self) -> tuple[Observation | PeakObservation, ...]:
        """The last observation of each judge, in the order in which they were first asked."""
        by_source = {one.counted_by: one for one in self.observations}
        return (*by_source.values(), *self.peaks.values())
