"""Which of the scenarios that were asked for a run performs, where, and why there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from greenrun.model.plan import REHEARSAL
from greenrun.plugin.collection import Planned
from greenrun.plugin.gherkin.tags import ON_REQUEST, Kind
from greenrun.plugin.run.mode import RunMode, aim_at
from greenrun.plugin.run.stop_policy import StopPolicy
from greenrun.plugin.run_options import RunOptions


@dataclass(frozen=True)
class Selection:
    """What was asked for: by file, name and tag in `asked`, by options in the rest."""

    asked: Sequence[Planned]
    target: str
    run_options: RunOptions

    @cached_property
    def mode(self) -> RunMode:
        """What the run is for."""
        kinds = {each.kind for each in self.asked if self._may_run(each)}
        return aim_at(self.target, self.run_options, kinds)

    def choose(self, rehearsed: Callable[[], str]) -> tuple[Sequence[Planned], StopPolicy]:
        """The scenarios to perform, and the course through their environments.

        `rehearsed` tells of an earlier rehearsal that stands for this one, or nothing; it is asked
        only where there is one to spare.
        """
        chosen = [each for each in self.asked if self._may_run(each) and self._suits(each)]
        earlier = rehearsed() if _is_rehearsed(chosen, self.target) else ""
        if earlier:
            chosen = [each for each in chosen if each.environment == self.target]
        return chosen, self._course(chosen, earlier)

    def complaints(self, chosen: Sequence[Planned]) -> Iterator[str]:
        """Why what was asked for cannot be meant, one line each."""
        if self.run_options.to and self.mode is not RunMode.WAY_BACK:
            yield "--to: leads the way back; got more, needs scenarios tagged @way-back alone"
        if self.run_options.resume and self.mode is RunMode.WAY_BACK:
            yield "--resume: goes on with a release; got the way back alone, leave it out"
        for tag in sorted(self.run_options.tags):
            if not any(tag in each.tags for each in chosen):
                yield f"--{tag}: got no scenario tagged @{tag}, needs one"
        if self.asked and not any(map(self._may_run, self.asked)):
            tags = frozenset[str]().union(*(each.tags for each in self.asked))
            options = " or ".join(f"--{tag}" for tag in sorted(tags & ON_REQUEST))
            yield f"what was asked for runs on request alone: needs {options}"

    def _may_run(self, scenario: Planned) -> bool:
        return scenario.tags & ON_REQUEST <= self.run_options.tags

    def _suits(self, scenario: Planned) -> bool:
        return self.mode.takes(scenario.tags, on_target=scenario.environment == self.target)

    def _course(self, chosen: Sequence[Planned], earlier: str) -> StopPolicy:
        present = {each.environment for each in chosen}
        stop_policy = dict.fromkeys([REHEARSAL, self.target])
        environments = [name for name in stop_policy if name in present]
        why = earlier or _why(self.mode, environments)
        return StopPolicy(self.mode, environments, _forward(chosen), why)


def _forward(chosen: Sequence[Planned]) -> frozenset[str]:
    return frozenset(each.environment for each in chosen if each.kind is Kind.FORWARD)


def _is_rehearsed(chosen: Sequence[Planned], target: str) -> bool:
    """True for a way forward that is to be performed on this machine before it is on the target."""
    return _forward(chosen) == {REHEARSAL, target} and target != REHEARSAL


def _why(mode: RunMode, environments: Sequence[str]) -> str:
    is_part = mode is RunMode.RELEASE and len(environments) == 1
    return "nothing else was asked for" if is_part else mode.words.why
