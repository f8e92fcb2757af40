"""What a run of features is for, which scenarios that asks for, and how it is spoken of."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum

from greenrun.model.plan import REHEARSAL
from greenrun.plugin.gherkin import tags
from greenrun.plugin.gherkin.tags import Kind
from greenrun.plugin.run_options import RunOptions


@dataclass(frozen=True, slots=True)
class Words:
    """How people hear of a run.

    `why` says why it takes place where it does. `report` may name {service} and {target}, `done`
    {target}, `stopped` {target} and {place}, `interrupted` {target} and {signal}.
    """

    why: str
    report: str
    done: str
    stopped: str = "Not released: stopped at {place}"
    interrupted: str = "Not released: interrupted by {signal}"


class RunMode(Enum):
    """What a run is for."""

    REHEARSAL = Words(
        why="a rehearsal stays on this machine",
        report="Rehearsal of {service}",
        done="The rehearsal went through",
    )
    RELEASE = Words(
        why="what is released is rehearsed first",
        report="Release of {service} to {target}",
        done="Released to {target}",
    )
    PLAN = Words(
        why="a plan changes nothing, so there is nothing to rehearse",
        report="Plan of a release of {service} to {target}",
        done="Nothing was changed: this is what a release would do",
        stopped="Nothing was changed, and this stands in the way: {place}",
        interrupted="Nothing was changed: interrupted by {signal}",
    )
    WAY_BACK = Words(
        why="the way back needs no rehearsal",
        report="Rollback of {service} on {target}",
        done="Rolled back on {target}",
        stopped="The rollback on {target} is not proven: stopped at {place}",
        interrupted="The rollback on {target} is not proven: interrupted by {signal}",
    )
    SCALE_TO_ZERO = Words(
        why="an emergency does not wait for a rehearsal",
        report="{service} scaled to zero on {target}",
        done="Scaled to zero on {target}",
        stopped="Not proven to be at zero on {target}: stopped at {place}",
        interrupted="Not proven to be at zero on {target}: interrupted by {signal}",
    )

    @property
    def words(self) -> Words:
        """How it is spoken of."""
        return self.value

    @property
    def noun(self) -> str:
        """What a part of it is no whole of."""
        return "plan" if self is RunMode.PLAN else "release"

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


def aim_at(target: str, run_options: RunOptions, kinds: AbstractSet[Kind]) -> RunMode:
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
