"""The evidence of all who count becomes one verdict, which keeps its promise."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from greenrun.canary.judge import Judge, decide
from greenrun.canary.latencies import floored
from greenrun.canary.sources.source import MetricSource, Reading
from greenrun.model.canary_step import CountedBy
from greenrun.model.histogram import Histogram
from greenrun.model.stats import Counts, Outcome, Sample, SequentialTest
from tests.canary.witnesses import Told, sample

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
PATHS = tuple(f"/{number}" for number in range(5))
ALPHA = 0.2


class Stream:
    """Probes of five paths, 20 of each revision at a look; rates are those of failure."""

    def __init__(self, seed: int, candidate: dict[str, float], baseline: float) -> None:
        self._chance = Random(seed)
        self._rates = [{path: candidate.get(path, baseline) for path in PATHS}]
        self._rates.append(dict.fromkeys(PATHS, baseline))
        self._counts = [dict.fromkeys(PATHS, Counts()) for _ in self._rates]

    def read(self) -> Reading:
        for rates, counts in zip(self._rates, self._counts, strict=True):
            for path in self._chance.choices(PATHS, k=20):
                bad = self._chance.random() < rates[path]
                counts[path] += Counts(int(not bad), int(bad))
        one, other = self._counts
        whole = (Sample(sum(counts.values(), Counts())) for counts in self._counts)
        return Reading(*whole, {path: (one[path], other[path]) for path in PATHS})


def failed_after(stream: Stream, looks: int, paths: tuple[str, ...] = PATHS) -> tuple[int, str]:
    """The look at which the candidate failed, and the sentence; more than `looks` if it did not."""
    trial = SequentialTest(alpha=ALPHA, max_error_increase=0.5, beta=1e-9, error_limit=None)
    judge = Judge(MetricSource(CountedBy.PROBES, stream.read), trial, paths)
    for look in range(1, looks + 1):
        judge.observation(NOW, NOW, last=False)
        if judge.outcome is Outcome.FAIL:
            return look, judge.sentence
    return looks + 1, judge.sentence


def test_a_path_that_fails_for_the_candidate_alone_is_found_and_named() -> None:
    looks, sentence = failed_after(Stream(1, {"/3": 0.5}, 0.05), 200)
    assert looks < 40
    assert sentence.startswith("/3: rolled back after ")
    assert sentence.endswith("(our own probes)")


def test_one_path_of_many_is_found_sooner_by_itself_than_in_the_crowd() -> None:
    def median(paths: tuple[str, ...]) -> int:
        found = [failed_after(Stream(seed, {"/3": 0.4}, 0.05), 300, paths)[0] for seed in range(9)]
        return sorted(found)[4]

    assert median(PATHS) < median(())


def test_equal_candidates_fail_as_seldom_as_was_promised() -> None:
    wrong = [failed_after(Stream(seed, {}, 0.1), 40)[0] <= 40 for seed in range(30)]
    assert sum(wrong) <= 30 * ALPHA


def test_errors_of_some_paths_only_are_said_to_be_there() -> None:
    looks, sentence = failed_after(Stream(5, {"/3": 0.9, "/4": 0.9}, 0.0), 200)
    assert looks < 20
    assert ", all of the candidate's on /3 and /4 (our own probes)" in sentence


def test_a_pass_of_the_whole_needs_no_pass_of_each_path() -> None:
    told = Told(
        CountedBy.PROBES,
        paths=lambda _: {"/a": (Counts(1), Counts(1)), "/b": (Counts(1), Counts(1))},
    )
    judge = Judge(told.metric_source, SequentialTest(), ("/a", "/b"))
    for _ in range(20):
        judge.observation(NOW, NOW, last=False)
    assert judge.outcome is Outcome.PASS


@pytest.mark.parametrize("bad", [0, 30])
def test_what_is_told_within_the_lag_speaks_only_against_the_candidate(bad: int) -> None:
    told = Told(CountedBy.PLATFORM, candidate=(100 - bad, bad), lag=timedelta(minutes=1))
    judge = Judge(told.metric_source, SequentialTest())
    for second in range(60):
        judge.observation(NOW, NOW + timedelta(seconds=second), last=False)
    assert judge.outcome is (Outcome.FAIL if bad else Outcome.INCONCLUSIVE)


def test_the_worst_of_all_decides() -> None:
    good, bad = Told(CountedBy.PROBES), Told(CountedBy.PLATFORM, candidate=(0, 100))
    judges = [Judge(one.metric_source, SequentialTest()) for one in (good, bad)]
    for judge in judges:
        judge.observation(NOW, NOW, last=False)
    decision = decide(judges)
    assert decision.outcome is Outcome.FAIL
    assert decision.sentence.endswith("(the platform's metrics)")


def test_latencies_below_the_floor_are_equal() -> None:
    histogram = Histogram((1.0, 2.0, 4.0, 8.0), (1, 2, 3, 4, 5))
    found = floored(Sample(Counts(15), histogram), 5.0)
    assert found == Sample(Counts(15), Histogram((4.0, 8.0), (6, 4, 5)))
    assert floored(sample(3), 0.5) == sample(3)


@pytest.mark.parametrize(("floor", "outcome"), [(0, Outcome.FAIL), (50, Outcome.PASS)])
def test_a_difference_below_the_floor_rolls_nobody_back(floor: int, outcome: Outcome) -> None:
    told = Told(CountedBy.PROBES, slow=30.0)
    milliseconds = timedelta(milliseconds=floor)
    judge = Judge(told.metric_source, SequentialTest(quantiles=(0.95,)), latency_floor=milliseconds)
    for _ in range(20):
        judge.observation(NOW, NOW, last=False)
    assert judge.outcome is outcome


def test_no_floor_lies_above_a_limit() -> None:
    told = Told(CountedBy.PROBES, slow=30.0)
    trial = SequentialTest(latency_limits=((0.95, 20.0),))
    judge = Judge(told.metric_source, trial, latency_floor=timedelta(seconds=1))
    judge.observation(NOW, NOW, last=False)
    assert judge.results.decisive == "p95 limit"
    assert judge.outcome is Outcome.FAIL
