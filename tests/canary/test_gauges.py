"""The candidate's memory has a limit, which is no matter of chance."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.canary import Canary
from greenrun.canary.judge import RequestJudge
from greenrun.canary.sources.gauges import GAUGES, PeakJudge
from greenrun.canary.sources.platform import PlatformMetrics
from greenrun.model.canary_step import CanaryStep, CountedBy, PeakObservation
from greenrun.model.errors import GateClosed
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import CanaryPlan
from greenrun.model.stats import Outcome, SequentialTest
from greenrun.release.release import Release
from greenrun.reporting.record.canary import recorded
from tests.canary.sources import SteadySource, at_once
from tests.checks.deployed import deploy
from tests.conftest import BASELINE, HEALTHY, World
from tests.dependencies import fake_roles
from tests.fakes import FakeClock, FakeMetrics, MemoryEvidence, MemoryProgress

LIMIT = Quantity(90, "%")
PLAN = CanaryPlan((10, 50), max_duration=timedelta(minutes=1))
SECOND = timedelta(seconds=1)


@pytest.fixture
def metrics() -> FakeMetrics:
    """The candidate uses twice as much as the baseline, and keeps its limit."""
    return FakeMetrics(FakeClock(), using={"one": 40.0, "other": 20.0})


def platform(metrics: FakeMetrics) -> PlatformMetrics:
    return PlatformMetrics(metrics, metrics.clock, "one", "other")


@pytest.fixture
def judge(metrics: FakeMetrics) -> PeakJudge:
    return PeakJudge(GAUGES["memory"], LIMIT, platform(metrics))


@pytest.fixture
def canary(metrics: FakeMetrics, judge: PeakJudge) -> Canary:
    """One whose requests are soon sure."""
    counted = RequestJudge(SteadySource(CountedBy.PROBES), SequentialTest())
    dependencies = fake_roles("shop", clock=metrics.clock)
    return Canary(PLAN, [counted, judge], dependencies, lambda: None, at_once)


def look(judge: PeakJudge, clock: FakeClock) -> PeakObservation:
    """A second after the share has risen."""
    began = clock.monotonic()
    judge.start_step(10)
    clock.sleep(SECOND)
    return judge.observe(began, clock.monotonic(), last=False)


def closed(canary: Canary) -> tuple[GateClosed, CanaryStep]:
    with pytest.raises(GateClosed) as caught:
        canary.analyse_step(10)
    return caught.value, canary.steps[-1]


def seconds(step: CanaryStep) -> float:
    return (step.ended - step.began).total_seconds()


def test_both_peaks_are_observed_and_the_candidate_is_judged(
    judge: PeakJudge, metrics: FakeMetrics
) -> None:
    metrics.using["other"] = 99
    observation = look(judge, metrics.clock)
    assert observation == PeakObservation(
        metrics.clock.monotonic(),
        "memory",
        Quantity(40, "%"),
        Quantity(99, "%"),
        LIMIT,
        Outcome.PASS,
        GAUGES["memory"].relief,
    )
    assert judge.sentence == "the candidate used 40 % of its memory (the platform's metrics)"


@pytest.mark.parametrize(
    ("used", "outcome"), [(90, Outcome.PASS), (90.01, Outcome.FAIL), (100, Outcome.FAIL)]
)
def test_the_limit_itself_is_kept(
    judge: PeakJudge, metrics: FakeMetrics, used: float, outcome: Outcome
) -> None:
    metrics.using["one"] = used
    assert look(judge, metrics.clock).outcome is outcome


def test_too_much_closes_the_gate_at_once(canary: Canary, metrics: FakeMetrics) -> None:
    canary.plan = replace(PLAN, min_duration=timedelta(seconds=45))
    metrics.using["one"] = 97
    error, step = closed(canary)
    assert error.message == (
        "the canary at 10 %: the candidate used 97 % of its memory, needs at most 90 % "
        "(the platform's metrics)"
    )
    assert "`deploy.memory`" in error.hint
    assert (step.outcome, seconds(step)) == (Outcome.FAIL, 1)


def test_of_two_failures_at_once_that_of_the_requests_is_reported(
    canary: Canary, metrics: FakeMetrics
) -> None:
    failing = RequestJudge(SteadySource(CountedBy.PROBES, candidate=(50, 50)), SequentialTest())
    canary.judges = [failing, *canary.judges[1:]]
    metrics.using["one"] = 97
    error, step = closed(canary)
    assert "candidate requests failed" in step.sentence
    assert error.hint.startswith("compare the figures of both revisions")


def test_what_it_has_used_once_is_not_forgotten(judge: PeakJudge, metrics: FakeMetrics) -> None:
    metrics.using["one"] = 97
    look(judge, metrics.clock)
    metrics.using["one"] = 12
    assert look(judge, metrics.clock).candidate == Quantity(97, "%")
    assert judge.outcome is Outcome.FAIL


def test_an_unreported_gauge_is_no_pass_and_its_metric_is_named(
    canary: Canary, metrics: FakeMetrics
) -> None:
    del metrics.using["one"]
    error, step = closed(canary)
    assert (step.outcome, seconds(step)) == (Outcome.NO_DATA, 60)
    assert step.sentence == (
        "no data: no memory of the candidate is reported yet at this share (the platform's metrics)"
    )
    assert error.hint.startswith(
        "the platform has reported nothing new of the metric container/memory/utilizations"
    )
    assert "probes-per-second" not in error.hint


def test_every_share_waits_for_its_own_peak(judge: PeakJudge, metrics: FakeMetrics) -> None:
    metrics.lag = 3 * SECOND
    assert look(judge, metrics.clock).outcome is Outcome.NO_DATA
    metrics.clock.sleep(5 * SECOND)
    observation = look(judge, metrics.clock)
    assert (observation.candidate, observation.outcome) == (Quantity(40, "%"), Outcome.NO_DATA)
    began = metrics.clock.monotonic()
    metrics.clock.sleep(4 * SECOND)
    assert judge.observe(began, metrics.clock.monotonic(), last=False).outcome is Outcome.PASS


def test_a_pass_takes_no_longer_than_it_is_late(canary: Canary, metrics: FakeMetrics) -> None:
    alone = replace(canary, judges=canary.judges[:1], steps=[])
    needed = seconds(alone.analyse_step(10))
    metrics.lag = timedelta(seconds=needed + 5)
    assert seconds(canary.analyse_step(10)) == needed + 6
    metrics.lag = timedelta()
    assert seconds(canary.analyse_step(50)) == needed


def test_it_asks_no_more_often_than_there_is_something_new(metrics: FakeMetrics) -> None:
    began = metrics.clock.monotonic()
    metrics.lag = 240 * SECOND
    judge = PeakJudge(GAUGES["memory"], LIMIT, platform(metrics))
    assert judge.is_due(began)
    judge.observe(began, began, last=False)
    assert not judge.is_due(began + 9 * SECOND)
    assert judge.is_due(began + 10 * SECOND)


def test_progress_says_that_memory_is_waited_for(canary: Canary, metrics: FakeMetrics) -> None:
    metrics.lag = 3 * SECOND
    canary.analyse_step(10)
    progress = canary.dependencies.progress
    assert isinstance(progress, MemoryProgress)
    assert progress.lines[0].startswith(
        "10/90 %, 59 s left; no memory reported yet; our own probes 100/100: "
    )
    assert progress.lines[-1].endswith("; memory 40 % of at most 90 %")


def test_the_evidence_has_both_revisions_beside_the_limit(canary: Canary) -> None:
    canary.analyse_step(10)
    evidence = canary.dependencies.evidence
    assert isinstance(evidence, MemoryEvidence)
    *_, title, head, row = str(evidence.kept["canary at 10 %"]).splitlines()
    assert title == "the platform's metrics: the peak of memory of each revision"
    assert head.split() == ["candidate", "baseline", "at", "most", "outcome"]
    assert row.split() == ["memory", "40", "%", "20", "%", "90", "%", "pass"]


OBJECTIVES = Gate(
    (Threshold("error rate", "at most", Quantity(5, "%")), Threshold("memory", "at most", LIMIT))
)


def candidate_using(release: Release, world: World, percent: float | None) -> Release:
    """A release whose candidate answers well, in so much of its memory."""
    deploy(release)
    candidate = release.candidate.name
    world.metrics.answering[candidate] = HEALTHY
    world.metrics.using = {BASELINE: 30.0}
    if percent is not None:
        world.metrics.using[candidate] = percent
    return release


def test_a_row_of_the_table_has_it_judged(release: Release, world: World) -> None:
    steps = candidate_using(release, world, 40).run_canary(OBJECTIVES)
    assert [step.outcome for step in steps] == [Outcome.PASS] * 2
    assert [[peak.baseline for peak in one.peaks] for one in steps] == [[Quantity(30, "%")]] * 2


@pytest.mark.parametrize(("percent", "verdict"), [(97, "fail"), (None, "no data")])
def test_whoever_does_not_keep_it_is_taken_back_and_recorded(
    release: Release, world: World, percent: float | None, verdict: str
) -> None:
    candidate_using(release, world, percent)
    with pytest.raises(GateClosed):
        release.run_canary(OBJECTIVES)
    release.roll_back()
    assert world.serving == {BASELINE: 100}
    (step,) = recorded(release.steps)
    assert (step.verdict, "memory" in step.judged) == (verdict, True)
