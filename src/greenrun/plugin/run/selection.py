"""What a run is for, which scenarios that selects, and which run after a failure."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from greenrun.model.plan import REHEARSAL
from greenrun.plugin.gherkin import tags
from greenrun.plugin.gherkin.collection import PlannedScenario
from greenrun.plugin.gherkin.milestones import Milestone
from greenrun.plugin.gherkin.tags import ON_REQUEST, Kind
from greenrun.plugin.options import RunOptions


@dataclass(frozen=True, slots=True)
class ModeWords:
    """How people hear of a run.

    `why` says why it takes place where it does. `report` may name {service} and {target}, `done`
    {target}, `stopped` {target} and {place}, `interrupted` {target} and {signal}, `missed`
    {target}: nothing failed, and what the run is for did not come about; `unfinished` {target} and
    {what}: it came about, and what came after it did not.
    """

    why: str
    report: str
    done: str
    missed: str = "Not released: no candidate was promoted"
    unfinished: str = "Released to {target}, and {what}"
    stopped: str = "Not released: stopped at {place}"
    interrupted: str = "Not released: interrupted by {signal}"


class RunMode(Enum):
    """What a run is for."""

    REHEARSAL = ModeWords(
        why="a rehearsal stays on this machine",
        report="Rehearsal of {service}",
        done="The rehearsal passed",
        missed="Not rehearsed: no candidate was promoted",
    )
    RELEASE = ModeWords(
        why="what is released is rehearsed first",
        report="Release of {service} to {target}",
        done="Released to {target}",
    )
    PLAN = ModeWords(
        why="a plan changes nothing, so there is nothing to rehearse",
        report="Plan of a release of {service} to {target}",
        done="Nothing was changed: this is what a release would do",
        missed="Nothing was changed, and nothing was looked at: every scenario was skipped",
        stopped="Nothing was changed, and this stands in the way: {place}",
        interrupted="Nothing was changed: interrupted by {signal}",
    )
    WAY_BACK = ModeWords(
        why="the way back needs no rehearsal",
        report="Rollback of {service} on {target}",
        done="Rolled back on {target}",
        missed="Not rolled back on {target}: no sentence sent users back",
        stopped="The rollback on {target} is not proven: stopped at {place}",
        interrupted="The rollback on {target} is not proven: interrupted by {signal}",
    )
    SCALE_TO_ZERO = ModeWords(
        why="an emergency does not wait for a rehearsal",
        report="{service} scaled to zero on {target}",
        done="Scaled to zero on {target}",
        missed="Not scaled to zero on {target}: no sentence did it",
        stopped="Not proven to be at zero on {target}: stopped at {place}",
        interrupted="Not proven to be at zero on {target}: interrupted by {signal}",
    )

    @property
    def words(self) -> ModeWords:
        """How it is spoken of."""
        return self.value

    @property
    def noun(self) -> str:
        """What a part of it is no whole of."""
        return "plan" if self is RunMode.PLAN else "release"

    @property
    def goal(self) -> Milestone | None:
        """What it must come to, or it was in vain; None for a plan, which comes to nothing."""
        goals = {RunMode.WAY_BACK: Milestone.RESTORED, RunMode.SCALE_TO_ZERO: Milestone.AT_ZERO}
        return None if self is RunMode.PLAN else goals.get(self, Milestone.PROMOTED)

    @property
    def is_emergency(self) -> bool:
        """True where users wait for it: nothing that it does not need may hold it up."""
        return self in {RunMode.WAY_BACK, RunMode.SCALE_TO_ZERO}

    @property
    def goes_on(self) -> bool:
        """True where a failure stops nothing: a plan is to find all that stands in the way."""
        return self is RunMode.PLAN

    def takes(self, scenario: frozenset[str], *, on_target: bool) -> bool:
        """True for a scenario of these tags, on the environment that `--env` names or on local."""
        if self in {RunMode.REHEARSAL, RunMode.RELEASE}:
            return True
        if self is RunMode.PLAN:
            return on_target and "plan" in scenario
        if self is RunMode.SCALE_TO_ZERO:
            is_record = tags.kind(scenario) is Kind.RECORD
            return on_target and (is_record or "scale-to-zero" in scenario)
        return on_target


def choose_mode(target: str, run_options: RunOptions, kinds: AbstractSet[Kind]) -> RunMode:
    """What a run of scenarios of these kinds is for.

    The way back is asked for alone where nothing of a way forward was asked for beside it.
    """
    if target == REHEARSAL:
        return RunMode.REHEARSAL
    if run_options.plan:
        return RunMode.PLAN
    if run_options.scale_to_zero:
        return RunMode.SCALE_TO_ZERO
    is_alone = Kind.WAY_BACK in kinds and Kind.FORWARD not in kinds
    return RunMode.WAY_BACK if is_alone else RunMode.RELEASE


NOT_NEEDED = "not needed, the release succeeded"


@dataclass
class StopPolicy:
    """Knows where to, and remembers what failed.

    `forward` are the environments with a way forward in this run; `why` says why it leads through
    these environments. `is_rehearsed`: an earlier rehearsal stands for that of this run.
    """

    mode: RunMode
    environments: Sequence[str]
    forward: frozenset[str] = frozenset()
    why: str = ""
    is_rehearsed: bool = False
    _stopped: dict[tuple[str, Kind], str] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        alone = " only" if len(self.environments) == 1 else ""
        return f"{', then '.join(self.environments)}{alone}: {self.why}"

    @property
    def stopped_at(self) -> str:
        """The scenario that failed first, or nothing."""
        return next(iter(self._failed.values()), "")

    def fail(self, environment: str, kind: Kind, place: str) -> None:
        """A scenario failed. The rest of the way that it belongs to is not attempted."""
        self._failed.setdefault(environment, place)
        if not self.mode.goes_on:
            self._stopped.setdefault((environment, kind), place)

    def reason_to_skip(self, environment: str, kind: Kind) -> str:
        """Why a scenario is not attempted; empty when it is.

        The way back and the record of an environment run whatever happened to its way forward. They
        are left out where that was never begun, because an earlier environment failed.
        """
        if environment in self.forward:
            if obstacle := self._failed_elsewhere(environment):
                return f"stopped at {obstacle}"
            if kind is Kind.WAY_BACK and environment not in self._failed:
                return NOT_NEEDED
        way = Kind.FORWARD if kind is Kind.DRILL else kind
        stopped = self._stopped.get((environment, way))
        return f"stopped at {stopped}" if stopped and kind is not Kind.RECORD else ""

    def asks_first(self, environment: str, scenario: frozenset[str]) -> bool:
        """True for what asks the target, and changes nothing, before minutes of rehearsal.

        That is tagged as part of a plan: all that stands in the way is told before anything is
        built.
        """
        *earlier, target = self.environments
        return bool(earlier) and environment == target and "plan" in scenario

    def _failed_elsewhere(self, environment: str) -> str:
        """What stopped the way in another environment: the rehearsal, or what asked the target."""
        others = (place for name, place in self._failed.items() if name != environment)
        return next(others, "")


@dataclass(frozen=True)
class Selection:
    """What was asked for: by file, name and tag in `asked`, by options in the rest."""

    asked: Sequence[PlannedScenario]
    target: str
    run_options: RunOptions

    @cached_property
    def mode(self) -> RunMode:
        """What the run is for."""
        kinds = {each.kind for each in self.asked if self._may_run(each)}
        return choose_mode(self.target, self.run_options, kinds)

    def choose(self, rehearsed: Callable[[], str]) -> tuple[Sequence[PlannedScenario], StopPolicy]:
        """The scenarios to perform, and the course through their environments.

        `rehearsed` tells of an earlier rehearsal that stands for this one, or nothing; it is asked
        only where there is one to spare.
        """
        chosen = [each for each in self.asked if self._may_run(each) and self._suits(each)]
        earlier = rehearsed() if _is_rehearsed(chosen, self.target) else ""
        if earlier:
            chosen = [each for each in chosen if each.environment == self.target]
        return chosen, self._course(chosen, earlier)

    def complaints(self, chosen: Sequence[PlannedScenario]) -> Iterator[str]:
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

    def _may_run(self, scenario: PlannedScenario) -> bool:
        return scenario.tags & ON_REQUEST <= self.run_options.tags

    def _suits(self, scenario: PlannedScenario) -> bool:
        return self.mode.takes(scenario.tags, on_target=scenario.environment == self.target)

    def _course(self, chosen: Sequence[PlannedScenario], earlier: str) -> StopPolicy:
        present = {each.environment for each in chosen}
        stop_policy = dict.fromkeys([REHEARSAL, self.target])
        environments = [name for name in stop_policy if name in present]
        why = earlier or _why(self.mode, environments)
        return StopPolicy(self.mode, environments, _forward(chosen), why, bool(earlier))


def _forward(chosen: Sequence[PlannedScenario]) -> frozenset[str]:
    return frozenset(each.environment for each in chosen if each.kind is Kind.FORWARD)


def _is_rehearsed(chosen: Sequence[PlannedScenario], target: str) -> bool:
    """True for a way forward that is to be performed on this machine before it is on the target."""
    return _forward(chosen) == {REHEARSAL, target} and target != REHEARSAL


def _why(mode: RunMode, environments: Sequence[str]) -> str:
    is_part = mode is RunMode.RELEASE and len(environments) == 1
    return "nothing else was asked for" if is_part else mode.words.why
