"""Streams from fixed seeds: how often equal candidates are rolled back, and how soon bad ones."""

import math
from datetime import timedelta

import numpy as np
import pytest

from benchmarks.verdict_judges import ALPHA, Kind, evidence, first, sequential, share_of
from greenrun.model.stats import (
    Counts,
    ErrorRateComparison,
    Outcome,
    RateLimit,
    Result,
)
from greenrun.model.stats.comparisons import BLOCK
from greenrun.model.stats.power import requests_to_detect, smallest_detectable, time_to_detect

RUNS = 2000
CHANCE = 3 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)
"""Three times what the share of runs strays by."""


def steps(requests: int) -> np.ndarray:
    return np.repeat([0.05, 0.25, 0.5, 0.5], requests // 4)


def bursts(requests: int) -> np.ndarray:
    return np.where(np.arange(requests) // 500 % 2, 0.08, 0.002)


EQUAL = [
    Kind(8_000, 0.5, 0.01, 0.01),
    Kind(8_000, 0.1, 0.05, 0.05),
    Kind(8_000, 0.1, 0.3, 0.3),
    Kind(8_000, steps(8_000), bursts(8_000), bursts(8_000)),
    Kind(8_000, 0.5, 0.02, 0.01),
]
WORSE = [
    (0.5, 0.01, 0.05),
    (0.1, 0.01, 0.05),
    (0.05, 0.001, 0.05),
    (0.1, 0.004, 0.02),
    (0.5, 0.01, 0.02),
    (0.5, 0.2, 0.3),
    (0.1, 0.0, 1.0),
]


@pytest.mark.parametrize("kind", EQUAL)
def test_a_candidate_that_is_no_worse_is_hardly_ever_rolled_back(kind: Kind) -> None:
    grown = np.concatenate([evidence(streams) for streams in kind.streams(RUNS, 21)])
    wrong = share_of(first(grown >= -math.log(ALPHA), BLOCK))

    assert wrong <= ALPHA + CHANCE
    assert np.exp(grown[:, -1]).mean() < 3, "stakes that grow by themselves"


def test_the_streams_would_show_a_judge_that_errs_too_often() -> None:
    (streams,) = EQUAL[0].streams(250, 21)

    assert share_of(sequential(streams, alpha=10 * ALPHA)) > ALPHA + CHANCE


def test_the_benchmark_judges_as_the_domain_does() -> None:
    kind, test = Kind(320, 0.3, 0.05, 0.2), ErrorRateComparison()
    (streams,) = kind.streams(4, 22)
    for run, grown in enumerate(evidence(streams)):
        result, seen = test.start(), []
        mine = theirs = Counts()
        for candidate, bad in zip(streams.candidate[run], streams.bad[run], strict=True):
            one = Counts(int(not bad), int(bad))
            mine, theirs = (mine + one, theirs) if candidate else (mine, theirs + one)
            result = test.update(result, mine, theirs)
            seen.append(result.evidence.against)
        assert seen[BLOCK - 1 :: BLOCK] == pytest.approx(list(grown))


@pytest.mark.parametrize(("share", "baseline", "regression"), WORSE)
def test_a_bad_candidate_is_detected_as_soon_as_was_forecast(
    share: float, baseline: float, regression: float
) -> None:
    foretold = requests_to_detect(share, baseline, regression, ALPHA)
    kind = Kind(int(6 * foretold + 200) // BLOCK * BLOCK, share, baseline, regression)
    found = np.concatenate([sequential(streams) for streams in kind.streams(500, 23)])

    assert share_of(found) > 0.99
    assert found[np.isfinite(found)].mean() == pytest.approx(foretold, rel=0.25)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_detection_comes_near_the_bound_that_no_test_can_beat(share: float) -> None:
    kind = Kind(16_000, share, 0.01, 0.05)
    found = np.concatenate([sequential(streams) for streams in kind.streams(RUNS, 24)])

    assert 1 <= found.mean() / kind.bound < 1.3


def test_a_candidate_that_is_too_bad_hardly_ever_passes() -> None:
    test = ErrorRateComparison(max_error_increase=0.02, beta=0.05)
    kind = Kind(1_600, 0.3, 0.02, 0.04)
    (streams,) = kind.streams(80, 25)
    passed = [
        _passes(test, one, bad) for one, bad in zip(streams.candidate, streams.bad, strict=True)
    ]

    assert np.mean(passed) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 80)


def test_a_healthy_candidate_passes() -> None:
    test = ErrorRateComparison(max_error_increase=0.02)
    (streams,) = Kind(1_600, 0.5, 0.002, 0.002).streams(40, 26)
    passed = [
        _passes(test, one, bad) for one, bad in zip(streams.candidate, streams.bad, strict=True)
    ]

    assert np.mean(passed) > 0.9


def test_a_limit_that_is_kept_is_hardly_ever_held_against_a_candidate() -> None:
    objective = RateLimit(0.05, alpha=0.05)
    bad = np.random.default_rng(27).random((200, 600)) < 0.05
    failed = 0
    for run in bad:
        result = objective.start()
        for until in range(10, 601, 10):
            number = int(run[:until].sum())
            result = objective.update(result, Counts(until - number, number))
        failed += result.outcome is Outcome.FAIL

    assert failed <= 200 * 0.05 + 3 * math.sqrt(200 * 0.05 * 0.95)


def test_power_is_the_time_to_detect() -> None:
    assert time_to_detect(10, 0.1, 0.004, 0.02, ALPHA) == pytest.approx(
        timedelta(minutes=8), abs=timedelta(minutes=1)
    )
    assert time_to_detect(10, 0.1, 0.004, 0.004, ALPHA) == timedelta.max
    assert time_to_detect(0, 0.1, 0.004, 0.02, ALPHA) == timedelta.max


def test_what_can_be_detected_within_a_time_takes_that_time() -> None:
    within = timedelta(minutes=10)
    seen = smallest_detectable(10, 0.1, 0.004, within, ALPHA)

    assert seen is not None
    assert time_to_detect(10, 0.1, 0.004, seen, ALPHA) == pytest.approx(within, rel=0.01)
    assert smallest_detectable(0.01, 0.1, 0.004, within, ALPHA) is None


def _passes(test: ErrorRateComparison, candidate: np.ndarray, bad: np.ndarray) -> bool:
    result = test.start()
    for until in range(40, len(bad) + 1, 40):
        result = test.update(result, *_counts(candidate[:until], bad[:until]))
        if result.outcome is not Outcome.INCONCLUSIVE:
            break
    return _passed(result)


def _passed(result: Result) -> bool:
    return result.outcome is Outcome.PASS


def _counts(candidate: np.ndarray, bad: np.ndarray) -> tuple[Counts, Counts]:
    mine, theirs = bad[candidate], bad[~candidate]
    return (
        Counts(int((~mine).sum()), int(mine.sum())),
        Counts(int((~theirs).sum()), int(theirs.sum())),
    )
