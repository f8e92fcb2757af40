"""The steps of a release that are ahead, and how long each may take at most."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from greenrun.model.plan import REHEARSAL, Plan
from greenrun.model.text import span
from greenrun.release.dry_run.tables import Row

HEAD: Row = ("step", "at most")


StepLimit = Callable[[int], timedelta]
"""The longest time of a canary step, by its share."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a release; `within` is None where only its single waits are limited."""

    name: str
    within: timedelta | None = None

    @property
    def row(self) -> Row:
        return self.name, "no limit of its own" if self.within is None else span(self.within)


def step_rows(
    plan: Plan, step_limit: StepLimit, *, rehearsed: bool, first: bool = False
) -> tuple[Row, ...]:
    """Every step in order, and their sum.

    `rehearsed`: the image is there, and was green. `first`: there is no service yet.
    """
    ahead = _first(plan) if first else _moving(plan, step_limit)
    steps = (*_preparing(plan, rehearsed=rehearsed, first=first), *ahead)
    total = sum((step.within for step in steps if step.within), timedelta())
    return (*(step.row for step in steps), ("all steps with a limit", span(total)))


def _preparing(plan: Plan, *, rehearsed: bool, first: bool) -> Iterator[Step]:
    remote = plan.environment != REHEARSAL
    if not rehearsed:
        elsewhere = "image pulled, which was built elsewhere"
        built = elsewhere if plan.build.image else "image built on this machine"
        yield Step(built, plan.build.within)
        if remote:
            yield Step("rehearsal of the image on this machine")
    for name in plan.preflight.quality_gates:
        yield Step(f"quality gate {name}", plan.preflight.quality_gate_timeout)
    if remote and not plan.build.image:
        yield Step("image pushed", plan.push_timeout)
    yield from _migration(plan, first=first)


def _first(plan: Plan) -> Iterator[Step]:
    """Yield the way of a first release: created, proven, and users let in."""
    yield Step("service created, which nobody may invoke", plan.ready_timeout)
    yield Step("candidate's log found", plan.log_timeout)
    yield Step("candidate's endpoints checked")
    yield Step("users let in", plan.traffic_timeout)
    yield Step("service's endpoints checked")


def _moving(plan: Plan, step_limit: StepLimit) -> Iterator[Step]:
    yield Step("candidate ready, without traffic", plan.ready_timeout)
    yield Step("candidate's log found", plan.log_timeout)
    yield Step("candidate's endpoints checked")
    for share in plan.canary.steps:
        yield Step(f"{share} % of the traffic to the candidate", plan.traffic_timeout)
        yield Step(f"canary at {share} %", step_limit(share))
    yield Step("all traffic to the candidate", plan.traffic_timeout)
    yield Step("service's endpoints checked")


def _migration(plan: Plan, *, first: bool) -> Iterator[Step]:
    if plan.migration is None:
        return
    yield Step("migration status read", plan.migration.within)
    yield Step("pending migrations applied, where there are any", 2 * plan.migration.within)
    if plan.migration.check:
        yield Step("data checked", plan.migration.within)
    if not first:
        yield Step("baseline checked on the new schema")
