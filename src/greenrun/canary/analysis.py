"""The watch: a share of the users meets the candidate until the evidence decides."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from greenrun.canary import progress
from greenrun.canary.judge import Judging, decide
from greenrun.model.canary_step import CanaryStep, MemoryObservation, Observation
from greenrun.model.errors import GateClosed
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import CanaryPlan
from greenrun.model.stats import Outcome

LOOK = timedelta(seconds=1)
"""Between two looks at the evidence."""


@dataclass(slots=True)
class Canary:
    """Watches one candidate beside one baseline. `steps` holds what was watched until now.

    `check_unchanged` raises where somebody else has changed the service; asked at each look.
    """

    plan: CanaryPlan
    judges: Sequence[Judging]
    dependencies: Dependencies = field(repr=False)
    check_unchanged: Callable[[], None] = field(repr=False)
    steps: list[CanaryStep] = field(default_factory=list)

    def watch(self, share: int) -> CanaryStep:
        """Look until the evidence decides: for `min_duration` at least, `within` at most.

        Raises:
            GateClosed: the step has not passed.
        """
        for judge in self.judges:
            judge.rise(share)
        with self._kept(_Rise(share, self.dependencies.clock.now())) as rise:
            while not self._over(rise):
                self.dependencies.clock.sleep(min(LOOK, self.plan.max_duration))
                self.check_unchanged()
                self._look(rise)
        step = self.steps[-1]
        if step.outcome is not Outcome.PASS:
            raise GateClosed(f"the canary at {step}", hint=progress.advice(step))
        return step

    def _over(self, rise: "_Rise") -> bool:
        lasted = self.dependencies.clock.now() - rise.began
        match decide(self.judges).outcome:
            case Outcome.FAIL:
                return True
            case Outcome.PASS:
                return lasted >= self.plan.min_duration
            case _:
                return lasted >= self.plan.max_duration

    def _look(self, rise: "_Rise") -> None:
        now = self.dependencies.clock.now()
        left = self.plan.max_duration - (now - rise.began)
        last = left <= timedelta()
        asked = [judge for judge in self.judges if last or judge.due(now)]
        for judge in asked:
            rise.keep(judge.observation(rise.began, now, last=last))
        self.dependencies.progress.report(progress.line(rise.share, rise.latest, left))

    @contextmanager
    def _kept(self, rise: "_Rise") -> Iterator["_Rise"]:
        """Whatever ends it, what was seen of it is kept."""
        try:
            yield rise
        except BaseException as error:
            self._keep(rise, Outcome.INCONCLUSIVE, f"broken off: {error or type(error).__name__}")
            raise
        decision = decide(self.judges)
        self._keep(rise, decision.outcome, decision.sentence)

    def _keep(self, rise: "_Rise", outcome: Outcome, sentence: str) -> None:
        ended = self.dependencies.clock.now()
        observations = tuple(rise.observations)
        step = CanaryStep(
            rise.share, outcome, sentence, rise.began, ended, observations, rise.memory
        )
        self.steps.append(step)
        self.dependencies.evidence.attach(f"canary at {rise.share} %", progress.table(step))


@dataclass(slots=True)
class _Rise:
    """A step under way."""

    share: int
    began: datetime
    observations: list[Observation] = field(default_factory=list)
    memory: MemoryObservation | None = None

    def keep(self, observation: Observation | MemoryObservation) -> None:
        """One more: all at requests, and the last at memory."""
        match observation:
            case Observation():
                self.observations.append(observation)
            case MemoryObservation():
                self.memory = observation

    @property
    def latest(self) -> tuple[Observation | MemoryObservation, ...]:
        """The last one of each who judges, in the order in which they were asked first."""
        counted = {one.counted_by: one for one in self.observations}.values()
        return (*counted, self.memory) if self.memory else tuple(counted)
