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
    """Watches one candidate beside one baseline. `increments` holds what was watched until now.

    `undisturbed` raises where another than the release has changed the service; asked at each look.
    """

    plan: CanaryPlan
    judges: Sequence[Judging]
    roles: Dependencies = field(repr=False)
    undisturbed: Callable[[], None] = field(repr=False)
    increments: list[CanaryStep] = field(default_factory=list)

    def watch(self, share: int) -> CanaryStep:
        """Look until the evidence decides: for `bake` at least, `within` at most.

        Raises:
            GateClosed: the increment has not passed.
        """
        for judge in self.judges:
            judge.rise(share)
        with self._kept(_Rise(share, self.roles.clock.now())) as rise:
            while not self._over(rise):
                self.roles.clock.sleep(min(LOOK, self.plan.within))
                self.undisturbed()
                self._look(rise)
        increment = self.increments[-1]
        if increment.outcome is not Outcome.PASS:
            raise GateClosed(f"the canary at {increment}", hint=progress.advice(increment))
        return increment

    def _over(self, rise: "_Rise") -> bool:
        lasted = self.roles.clock.now() - rise.began
        match decide(self.judges).outcome:
            case Outcome.FAIL:
                return True
            case Outcome.PASS:
                return lasted >= self.plan.bake
            case _:
                return lasted >= self.plan.within

    def _look(self, rise: "_Rise") -> None:
        now = self.roles.clock.now()
        left = self.plan.within - (now - rise.began)
        last = left <= timedelta()
        asked = [judge for judge in self.judges if last or judge.due(now)]
        for judge in asked:
            rise.keep(judge.glance(rise.began, now, last=last))
        self.roles.progress.report(progress.line(rise.share, rise.latest, left))

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
        ended = self.roles.clock.now()
        glances = tuple(rise.glances)
        increment = CanaryStep(
            rise.share, outcome, sentence, rise.began, ended, glances, rise.memory
        )
        self.increments.append(increment)
        self.roles.evidence.attach(f"canary at {rise.share} %", progress.table(increment))


@dataclass(slots=True)
class _Rise:
    """An increment under way."""

    share: int
    began: datetime
    glances: list[Observation] = field(default_factory=list)
    memory: MemoryObservation | None = None

    def keep(self, glance: Observation | MemoryObservation) -> None:
        """One more: all at requests, and the last at memory."""
        match glance:
            case Observation():
                self.glances.append(glance)
            case MemoryObservation():
                self.memory = glance

    @property
    def latest(self) -> tuple[Observation | MemoryObservation, ...]:
        """The last one of each who judges, in the order in which they were asked first."""
        counted = {one.watcher: one for one in self.glances}.values()
        return (*counted, self.memory) if self.memory else tuple(counted)
