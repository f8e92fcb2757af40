"""A step is analysed until the evidence decides, and not an observation longer."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from errno import ENOSPC

import pytest

from greenrun.canary import Canary
from greenrun.canary.judge import RequestJudge
from greenrun.canary.sources.platform import PlatformMetrics
from greenrun.model.canary_step import CanaryStep, CountedBy
from greenrun.model.errors import ConcurrentChange, GateClosed
from greenrun.model.plan import CanaryPlan
from greenrun.model.stats import Counts, Outcome, SequentialTest
from tests.canary.sources import SteadySource, at_once
from tests.dependencies import fake_roles
from tests.fakes import FakeClock, FakeMetrics, MemoryEvidence, MemoryProgress

PROBES, PLATFORM = CountedBy.PROBES, CountedBy.PLATFORM
PLAN = CanaryPlan((10, 50), max_duration=timedelta(minutes=1))
TRIAL = SequentialTest(quantiles=(0.5,))
Analysing = Callable[..., Canary]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def analysing(clock: FakeClock) -> Analysing:
    def analyse(
        *told: SteadySource,
        plan: CanaryPlan = PLAN,
        check_unchanged: Callable[[], None] = lambda: None,
    ) -> Canary:
        judges = [RequestJudge(one, TRIAL) for one in told]
        dependencies = fake_roles("shop", clock=clock)
        return Canary(plan, judges, dependencies, check_unchanged, at_once)

    return analyse


def closed(canary: Canary, share: int = 10) -> tuple[GateClosed, CanaryStep]:
    with pytest.raises(GateClosed) as caught:
        canary.analyse_step(share)
    return caught.value, canary.steps[-1]


def seconds(step: CanaryStep) -> float:
    return (step.ended - step.began).total_seconds()


def test_a_pass_needs_every_source(analysing: Analysing) -> None:
    slowly = SteadySource(PLATFORM, candidate=(20, 0), baseline=(20, 0))
    both = analysing(SteadySource(PROBES), slowly).analyse_step(10)
    alone = analysing(SteadySource(PROBES)).analyse_step(10)
    assert (both.outcome, alone.outcome) == (Outcome.PASS, Outcome.PASS)
    assert seconds(both) > seconds(alone)


def test_a_failure_by_one_source_is_enough(analysing: Analysing) -> None:
    error, step = closed(
        analysing(SteadySource(PROBES), SteadySource(PLATFORM, candidate=(70, 30)))
    )
    assert error.message == (
        "the canary at 10 %: rolled back after 200 requests: 30 of 100 candidate requests failed, "
        "0 of 100 baseline requests (the platform's metrics)"
    )
    assert seconds(step) == 1


def test_a_pass_waits_for_the_least_time_and_a_failure_does_not(analysing: Analysing) -> None:
    plan = replace(PLAN, min_duration=timedelta(seconds=45))
    assert seconds(analysing(SteadySource(PROBES), plan=plan).analyse_step(10)) == 45
    _, step = closed(analysing(SteadySource(PROBES, candidate=(50, 50)), plan=plan))
    assert seconds(step) == 1


def test_what_stays_undecided_is_not_promoted(analysing: Analysing) -> None:
    error, step = closed(analysing(SteadySource(PROBES, candidate=(1, 0), baseline=(1, 0))))
    assert (step.outcome, seconds(step)) == (Outcome.INCONCLUSIVE, 60)
    assert step.sentence.startswith("undecided after 120 requests: 0 of 60 candidate")
    assert error.hint is not None
    assert "canary.max-duration" in error.hint


def test_where_both_fail_alike_more_requests_are_no_advice(analysing: Analysing) -> None:
    error, step = closed(analysing(SteadySource(PROBES, candidate=(19, 1), baseline=(19, 1))))
    assert step.outcome is Outcome.INCONCLUSIVE
    assert error.hint == (
        "both revisions fail, 5.0% of the candidate's requests and 5.0% of the baseline's "
        "(our own probes): mend that first, it is in both"
    )


@pytest.mark.parametrize("silent", [PROBES, PLATFORM])
def test_no_data_of_one_is_no_pass_and_says_whose(analysing: Analysing, silent: CountedBy) -> None:
    told = [SteadySource(one, candidate=(0 if one is silent else 100, 0)) for one in CountedBy]
    error, step = closed(analysing(*told))
    assert step.outcome is Outcome.NO_DATA
    assert step.sentence == (
        f"no data: the candidate answered 0 requests, the baseline 6,000 ({silent.value})"
    )
    assert error.hint is not None
    assert "canary.probes-per-second" in error.hint


def test_every_step_asks_for_evidence_anew(analysing: Analysing) -> None:
    canary = analysing(SteadySource(PROBES))
    first, second = canary.analyse_step(10), canary.analyse_step(50)
    assert seconds(second) == pytest.approx(seconds(first), abs=1)
    assert second.began == first.ended
    assert canary.steps == [first, second]


def test_late_figures_are_no_evidence_for_the_new_share(
    analysing: Analysing,
) -> None:
    late = SteadySource(PLATFORM, lag=timedelta(seconds=30))
    assert seconds(analysing(late).analyse_step(10)) > 30
    _, step = closed(analysing(replace(late, candidate=(50, 50))))
    assert seconds(step) == 1


def test_no_source_is_read_more_often_than_there_is_something_new(analysing: Analysing) -> None:
    seldom = SteadySource(PLATFORM, interval=timedelta(seconds=10), candidate=(1, 0))
    _, step = closed(analysing(SteadySource(PROBES), seldom))
    at = [(one.at - step.began).total_seconds() for one in step.observations]
    assert [each for each in at if at.count(each) == 2] == [
        *(1.0, 1.0, 11.0, 11.0, 21.0, 21.0, 31.0, 31.0, 41.0, 41.0, 51.0, 51.0),
        *(60.0, 60.0),
    ]


def test_each_observation_is_reported_in_one_line(analysing: Analysing) -> None:
    canary = analysing(SteadySource(PROBES), SteadySource(PLATFORM, candidate=(10, 0)))
    canary.analyse_step(10)
    progress = canary.dependencies.progress
    assert isinstance(progress, MemoryProgress)
    assert progress.lines[2] == (
        "10/90 %, 57 s left; the platform's metrics 30/300: against 0 %, for 0 %; "
        "our own probes 300/300: against 0 %, for 81 %"
    )


def test_each_observation_and_each_step_is_noted_for_machines(analysing: Analysing) -> None:
    canary = analysing(SteadySource(PROBES), SteadySource(PLATFORM, candidate=(10, 0)))
    step = canary.analyse_step(10)
    progress = canary.dependencies.progress
    assert isinstance(progress, MemoryProgress)
    *looks, last = progress.notes
    assert looks[2] == {
        "event": "canary_look",
        "share": 10,
        "seconds_left": 57,
        "sources": [
            {
                "by": "our own probes",
                "candidate": 300,
                "baseline": 300,
                "against": 0,
                "for": 81,
            },
            {
                "by": "the platform's metrics",
                "candidate": 30,
                "baseline": 300,
                "against": 0,
                "for": 0,
            },
        ],
        "gauges": [],
    }
    assert {look["event"] for look in looks} == {"canary_look"}
    judged = {"share": 10, "verdict": "pass", "judged": step.sentence}
    assert last == {"event": "canary_step", **judged}


def test_a_concurrent_change_breaks_it_off_and_observations_are_kept(
    analysing: Analysing,
) -> None:
    told = SteadySource(PROBES)

    def check_unchanged() -> None:
        if told.asked == 3:
            raise ConcurrentChange("shop was changed by alice")

    canary = analysing(told, check_unchanged=check_unchanged)
    with pytest.raises(ConcurrentChange):
        canary.analyse_step(10)
    [step] = canary.steps
    assert step.sentence == "broken off: shop was changed by alice"
    assert (step.outcome, len(step.observations)) == (Outcome.INCONCLUSIVE, 3)


def test_the_evidence_has_the_verdict_first_then_every_part(analysing: Analysing) -> None:
    canary = analysing(SteadySource(PROBES))
    step = canary.analyse_step(10)
    evidence = canary.dependencies.evidence
    assert isinstance(evidence, MemoryEvidence)
    told = str(evidence.kept["canary at 10 %"]).splitlines()
    assert told[0] == f"10 %: {step.sentence}"
    assert [line.split()[0] for line in told[4:]] == ["errors", "error", "p50"]


class Unwritable:
    """Evidence and progress that a full disk and a closed terminal leave."""

    def attach(self, name: str, content: str | bytes, media_type: str = "text/plain") -> None:
        raise OSError(ENOSPC, f"no space left for {name}, {media_type}, {len(content)}")

    def here(self) -> "Unwritable":
        return self

    def report(self, text: str) -> None:
        raise BrokenPipeError(text)

    def present(self, text: str) -> None:
        raise BrokenPipeError(text)

    def note(self, event: str, **facts: object) -> None:
        raise BrokenPipeError(event, facts)


@pytest.mark.parametrize("bad", [0, 50])
def test_a_full_disk_and_a_closed_terminal_change_no_verdict(
    analysing: Analysing, bad: int
) -> None:
    failures: dict[str, Exception] = {}

    def attempt(what: str, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            failures.setdefault(what, error)

    canary = analysing(SteadySource(PROBES, candidate=(100 - bad, bad)))
    unwritable = Unwritable()
    canary.dependencies = replace(canary.dependencies, evidence=unwritable, progress=unwritable)
    canary.attempt = attempt
    if bad:
        _, step = closed(canary)
    else:
        step = canary.analyse_step(10)
    assert step.outcome is (Outcome.FAIL if bad else Outcome.PASS)
    assert set(failures) == {"tell of it", "keep evidence"}


@dataclass
class SetClock:
    """Sets the wall clock at the third observation, when the candidate begins to fail."""

    clock: FakeClock
    metrics: FakeMetrics
    by: timedelta
    bad: int
    observations: int = 0

    def __call__(self) -> None:
        self.observations += 1
        if self.observations == 3:
            self.clock.stepped = self.by
            self.metrics.answering["candidate"] = Counts(100 - self.bad, self.bad)


@pytest.mark.parametrize("bad", [25, 0])
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wall_clock_that_is_set_changes_nothing(hours: int, bad: int) -> None:
    """Before, one that went back kept users on a candidate that fails, as long as one waited."""

    def analysed(by: timedelta) -> tuple[CanaryStep, list[float]]:
        clock = FakeClock()
        healthy = Counts(100)
        metrics = FakeMetrics(clock, {"candidate": healthy, "baseline": healthy})
        platform = PlatformMetrics(metrics, clock, "candidate", "baseline")
        judges = [RequestJudge(platform, TRIAL)]
        setting = SetClock(clock, metrics, by, bad)
        plan = replace(PLAN, min_duration=timedelta(seconds=20))
        dependencies = fake_roles("shop", clock=clock)
        canary = Canary(plan, judges, dependencies, setting, at_once)
        with suppress(GateClosed):
            canary.analyse_step(10)
        [step] = canary.steps
        return step, [one.candidate.seconds for one in step.observations]

    step, seconds_counted = analysed(timedelta(hours=hours))
    assert (step, seconds_counted) == analysed(timedelta())
    assert step.outcome is (Outcome.FAIL if bad else Outcome.PASS)
    assert seconds(step) == seconds_counted[-1] == (3 if bad else 20)
