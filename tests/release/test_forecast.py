"""Live traffic is read from the platform's metrics, and only where there are users."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from greenrun.canary.forecast import UserTraffic, forecast
from greenrun.model.errors import GateClosed
from greenrun.model.image import Source
from greenrun.model.objective import Gate
from greenrun.model.plan import CanaryPlan, Plan, Underpowered
from greenrun.model.stats import Counts, Outcome, Sample, SequentialTest
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.release import Release
from tests.conftest import BASELINE, World
from tests.fakes import FakeMetrics
from tests.stages import deployed

TRIAL = SequentialTest()


@pytest.fixture
def prod(plan: Plan) -> Plan:
    return replace(plan, environment="prod")


def read(plan: Plan, world: World) -> UserTraffic:
    service = world.platform.state
    assert service is not None
    return forecast(plan, world.dependencies, service, BASELINE, TRIAL).traffic


def served_since(world: World, ago: timedelta) -> None:
    world.platform.change_by_somebody(changed_at=(world.clock.now() - ago).isoformat())


@pytest.mark.parametrize(
    ("ago", "over"),
    [
        (timedelta(days=30), timedelta(days=1)),
        (timedelta(hours=5), timedelta(hours=5)),
        (timedelta(minutes=20), timedelta(minutes=20)),
    ],
)
def test_a_day_is_read_or_since_when_the_baseline_serves_as_it_does(
    prod: Plan, world: World, ago: timedelta, over: timedelta
) -> None:
    world.metrics.answering[BASELINE] = Counts(9, 1)
    served_since(world, ago)
    traffic = read(prod, world)
    seconds = round(over.total_seconds())

    assert (traffic.over, traffic.per_second) == (over, 10)
    assert traffic.sample.counts == Counts(9 * seconds, seconds)
    assert traffic.sample.latencies.total == 10 * seconds


def test_a_service_whose_last_change_is_unknown_is_read_for_a_day(prod: Plan, world: World) -> None:
    assert read(prod, world).over == timedelta(days=1)


def test_one_that_has_just_changed_has_told_of_nothing(prod: Plan, world: World) -> None:
    served_since(world, timedelta())
    assert (read(prod, world).over, read(prod, world).per_second) == (timedelta(), 0)


@dataclass
class QuietHour(FakeMetrics):
    """A night after a busy day."""

    def sample(self, revision: str, since: datetime, until: datetime | None = None) -> Sample:
        del until
        assert revision == BASELINE
        recent = self.clock.now() - since <= timedelta(hours=1)
        return Sample(Counts(36 if recent else 864_000))


def test_an_hour_that_is_quieter_than_the_day_counts(prod: Plan, world: World) -> None:
    world.metrics = QuietHour(world.clock)
    assert read(prod, world).per_second == pytest.approx(0.01)
    assert read(prod, world).sample.counts.total == 864_000


def test_a_rehearsal_counts_on_no_users(plan: Plan, world: World) -> None:
    world.metrics.answering[BASELINE] = Counts(1000)
    assert read(plan, world) == UserTraffic()


def test_the_platforms_lag_is_minded(prod: Plan, world: World) -> None:
    world.metrics.lag = timedelta(minutes=4)
    assert world.platform.state is not None
    seen = forecast(prod, world.dependencies, world.platform.state, BASELINE, TRIAL)
    assert seen.lag == timedelta(minutes=4)


@pytest.fixture
def hurried(prod: Plan) -> Plan:
    """One request a second of each revision needs more than half a minute for a pass."""
    canary = CanaryPlan((10,), max_duration=timedelta(seconds=30), max_error_increase=0.05)
    return replace(prod, canary=canary)


@pytest.fixture
def watched(world: World, guard: ChangeGuard, tmp_path: Path) -> Callable[[Plan], Release]:
    """A release that is about to watch its candidate."""

    def begin(plan: Plan) -> Release:
        source = Source(tmp_path, "c0ffee")
        release = Release(plan, world.dependencies, guard, {"a user": {}}, source)
        world.metrics.answering[BASELINE] = Counts(1)
        deployed(release)
        world.metrics.answering[release.candidate.name] = Counts(1)
        return release

    return begin


def test_the_canary_takes_the_time_that_it_was_lengthened_to(
    hurried: Plan, watched: Callable[[Plan], Release]
) -> None:
    canary = replace(hurried.canary, underpowered=Underpowered.LENGTHENED)
    release = watched(replace(hurried, canary=canary))
    (step,) = release.run_canary(Gate(()))

    assert step.outcome is Outcome.PASS
    assert step.ended - step.began > canary.max_duration


def test_the_canary_takes_no_more_time_than_it_was_given(
    hurried: Plan, watched: Callable[[Plan], Release]
) -> None:
    with pytest.raises(GateClosed, match="undecided after"):
        watched(hurried).run_canary(Gate(()))
