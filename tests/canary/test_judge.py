"""The evidence of all who count becomes one verdict, which keeps its promise."""

from datetime import timedelta
from random import Random

import pytest

from greenrun.canary.judge import RequestJudge, decide, with_latency_floor
from greenrun.canary.sources.source import Measurement
from greenrun.model.canary_step import CountedBy
from greenrun.model.stats import Counts, Histogram, Outcome, Sample, SequentialTest
from tests.canary.sources import SteadySource, sample

NOW = timedelta(hours=8)
PATHS = tuple(f"/{number}" for number in range(5))
ALPHA = 0.2


class ProbesOfFivePaths:
    """20 probes of each revision at a reading; rates are those of failure."""

    counted_by = CountedBy.PROBES
    interval = lag = timedelta()

    def __init__(self, seed: int, candidate: dict[str, float], baseline: float) -> None:
        self._chance = Random(seed)
        self._rates = [{path: candidate.get(path, baseline) for path in PATHS}]
        self._rates.append(dict.fromkeys(PATHS, baseline))
        self._counts = [dict.fromkeys(PATHS, Counts()) for _ in self._rates]

    def start_step(self, share: int) -> None:
        raise AssertionError(share)

    def read(self) -> Measurement:
        for rates, counts in zip(self._rates, self._counts, strict=True):
            for path in self._chance.choices(PATHS, k=20):
                bad = self._chance.random() < rates[path]
                counts[path] += Counts(int(not bad), int(bad))
        one, other = self._counts
        mine, theirs = (Sample(sum(counts.values(), Counts())) for counts in self._counts)
        return Measurement(mine, theirs, {path: (one[path], other[path]) for path in PATHS})


def failed_after(
    stream: ProbesOfFivePaths, readings: int, paths: tuple[str, ...] = PATHS
) -> tuple[int, str]:
    """Return the reading at which the candidate failed, else one more; and the sentence."""
    test = SequentialTest(alpha=ALPHA, max_error_increase=0.5, beta=1e-9, error_limit=None)
    judge = RequestJudge(stream, test, paths)
    for reading in range(1, readings + 1):
        judge.observe(NOW, NOW, last=False)
        if judge.outcome is Outcome.FAIL:
            return reading, judge.sentence
    return readings + 1, judge.sentence


def test_a_path_that_fails_for_the_candidate_alone_is_found_and_named() -> None:
    readings, sentence = failed_after(ProbesOfFivePaths(1, {"/3": 0.5}, 0.05), 200)
    assert readings < 40
    assert sentence.startswith("/3: rolled back after ")
    assert sentence.endswith("(our own probes)")


def test_one_path_of_many_is_found_sooner_by_itself_than_in_the_crowd() -> None:
    def median(paths: tuple[str, ...]) -> int:
        found = [
            failed_after(ProbesOfFivePaths(seed, {"/3": 0.4}, 0.05), 300, paths)[0]
            for seed in range(9)
        ]
        return sorted(found)[4]

    assert median(PATHS) < median(())


def test_equal_candidates_fail_as_seldom_as_was_promised() -> None:
    wrong = [failed_after(ProbesOfFivePaths(seed, {}, 0.1), 40)[0] <= 40 for seed in range(30)]
    assert sum(wrong) <= 30 * ALPHA


def test_errors_of_some_paths_only_are_said_to_be_there() -> None:
    readings, sentence = failed_after(ProbesOfFivePaths(5, {"/3": 0.9, "/4": 0.9}, 0.0), 200)
    assert readings < 20
    assert ", all of the candidate's on /3 and /4 (our own probes)" in sentence


def test_a_pass_of_the_whole_needs_no_pass_of_each_path() -> None:
    told = SteadySource(
        CountedBy.PROBES,
        probes=lambda _: {"/a": (Counts(1), Counts(1)), "/b": (Counts(1), Counts(1))},
    )
    judge = RequestJudge(told, SequentialTest(), ("/a", "/b"))
    for _ in range(20):
        judge.observe(NOW, NOW, last=False)
    assert judge.outcome is Outcome.PASS


@pytest.mark.parametrize("bad", [0, 30])
def test_figures_within_the_lag_count_only_against_the_candidate(bad: int) -> None:
    told = SteadySource(CountedBy.PLATFORM, candidate=(100 - bad, bad), lag=timedelta(minutes=1))
    judge = RequestJudge(told, SequentialTest())
    for second in range(60):
        judge.observe(NOW, NOW + timedelta(seconds=second), last=False)
    assert judge.outcome is (Outcome.FAIL if bad else Outcome.INCONCLUSIVE)


def test_the_worst_of_all_decides() -> None:
    good, bad = SteadySource(CountedBy.PROBES), SteadySource(CountedBy.PLATFORM, candidate=(0, 100))
    judges = [RequestJudge(one, SequentialTest()) for one in (good, bad)]
    for judge in judges:
        judge.observe(NOW, NOW, last=False)
    decision = decide(judges)
    assert decision.outcome is Outcome.FAIL
    assert decision.sentence.endswith("(the platform's metrics)")


def test_latencies_below_the_floor_are_equal() -> None:
    histogram = Histogram((1.0, 2.0, 4.0, 8.0), (1, 2, 3, 4, 5))
    found = with_latency_floor(Sample(Counts(15), histogram), 5.0)
    assert found == Sample(Counts(15), Histogram((4.0, 8.0), (6, 4, 5)))
    assert with_latency_floor(sample(3), 0.5) == sample(3)


@pytest.mark.parametrize(("floor", "outcome"), [(0, Outcome.FAIL), (50, Outcome.PASS)])
def test_a_difference_below_the_floor_rolls_nobody_back(floor: int, outcome: Outcome) -> None:
    told = SteadySource(CountedBy.PROBES, slow=30.0)
    milliseconds = timedelta(milliseconds=floor)
    judge = RequestJudge(told, SequentialTest(quantiles=(0.95,)), latency_floor=milliseconds)
    for _ in range(20):
        judge.observe(NOW, NOW, last=False)
    assert judge.outcome is outcome


def test_no_floor_lies_above_a_limit() -> None:
    told = SteadySource(CountedBy.PROBES, slow=30.0)
    test = SequentialTest(latency_limits=((0.95, 20.0),))
    judge = RequestJudge(told, test, latency_floor=timedelta(seconds=1))
    judge.observe(NOW, NOW, last=False)
    assert judge.results.decisive == "p95 limit"
    assert judge.outcome is Outcome.FAIL
