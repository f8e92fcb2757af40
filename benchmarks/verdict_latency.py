"""How soon a slower candidate is found, and how often one that is no slower is taken for it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import Figure
from benchmarks.verdict_judges import ALPHA, Kind, Marks, Numbers, share_of, taken
from greenrun.model.stats import (
    Counts,
    Histogram,
    Outcome,
    QuantileComparison,
    Sample,
    SequentialTest,
)

EMPTY = Histogram.exponential(66, 1.4, 1.0)
RUNS, EQUAL_RUNS = 60, 150
BOTH = (False, True)


def measure() -> Iterator[Figure]:
    """Half as much again, of all requests and of the slowest tenth alone; equal ones in stalls."""
    yield from _latency()
    yield from _equal()
    yield from _gate()


def latencies(random: np.random.Generator, requests: int) -> Numbers:
    """Milliseconds of a healthy service: half take over 80, one in twenty over 215."""
    return random.lognormal(np.log(80), 0.6, requests)


def histogram(values: Numbers) -> Histogram:
    """In the buckets in which Cloud Run counts them."""
    places = np.searchsorted(EMPTY.bounds, values, side="right")
    counts = np.bincount(places, minlength=len(EMPTY.bounds) + 1)
    return Histogram(EMPTY.bounds, tuple(map(int, counts)))


KNOWN = histogram(latencies(np.random.default_rng(4), 10_000))
"""The baseline's, of the day before."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests as they come: so many a second, `share` (0 to 1) of them to the candidate.

    `max_latency_increase` by half: all of the candidate's, or the slowest tenth of them alone
    (`tail`). Either revision stalls `stalls` times a minute, by chance, for half a second.
    """

    per_second: float = 10.0
    share: float = 0.1
    max_latency_increase: bool = False
    tail: bool = False
    stalls: float = 0.0

    def readings(self, seconds: int, seed: int) -> Iterator[tuple[int, Sample, Sample]]:
        """After each second: requests of both so far, and what either revision has answered."""
        random = np.random.default_rng([4, seed])
        at = np.sort(random.random(random.poisson(self.per_second * seconds)) * seconds)
        one = random.random(len(at)) < self.share
        took = self._taken(random, at, one, seconds)
        bad = random.random(len(at)) < 0.01
        for second in range(1, seconds + 1):
            seen = int(np.searchsorted(at, second))
            mine, theirs = (np.flatnonzero(whose[:seen]) for whose in (one, ~one))
            candidate, baseline = (_sample(bad[of], took[of], second) for of in (mine, theirs))
            yield seen, candidate, baseline

    def _taken(self, random: np.random.Generator, at: Numbers, one: Marks, seconds: int) -> Numbers:
        took = self._slower(latencies(random, len(at)), one)
        for whose in (one, ~one):
            for began in random.random(random.poisson(self.stalls * seconds / 60)) * seconds:
                left = np.where((at >= began) & whose, np.maximum(began + 0.5 - at, 0), 0)
                took = took + 1000 * left
        return took

    def _slower(self, took: Numbers, one: Marks) -> Numbers:
        border = np.exp(np.log(80) + 0.6 * 1.2816) if self.tail else 0.0
        return np.where(one & (took > border) & self.max_latency_increase, 1.5 * took, took)

    @property
    def bound(self) -> float:
        """Wald's, in requests of both, each of them evidence of its own."""
        slow, _ = QuantileComparison(0.95).start(KNOWN).state.bounds or (0.0, 0.0)
        healthy = latencies(np.random.default_rng(5), 200_000)
        mine = self._slower(healthy, np.full(len(healthy), fill_value=True))
        other, one = (float((took >= slow).mean()) for took in (healthy, mine))
        return Kind(0, self.share, other, one).bound


def failed_at(test: SequentialTest, traffic: Traffic, seconds: int, seed: int) -> float:
    """Requests of both until it was rolled back; infinite where it was not."""
    results = test.start(KNOWN)
    for seen, candidate, baseline in traffic.readings(seconds, seed):
        results = test.update(results, candidate, baseline)
        if results.outcome is Outcome.FAIL:
            return float(seen)
    return float(np.inf)


def _found(test: SequentialTest, traffic: Traffic, seconds: int, runs: int) -> Numbers:
    return np.array([failed_at(test, traffic, seconds, seed) for seed in range(runs)])


def _alone(stall: float = 0.25) -> SequentialTest:
    """All of alpha for p95: beside it are only errors, which are the same."""
    return SequentialTest(2 * ALPHA, error_limit=None, quantiles=(0.95,), stall=stall)


def _latency() -> Iterator[Figure]:
    for tail in BOTH:
        for share in (0.5, 0.1):
            traffic = Traffic(share=share, max_latency_increase=True, tail=tail)
            found = _found(_alone(), traffic, 1_000, RUNS)
            name = f"p95 +50 %{' (tail alone)' if tail else ''}, 10/s, {100 * share:.0f} % share"
            against = f"aim 1,000; Wald's bound {traffic.bound:,.0f}"
            ratio = float(np.median(found)) / 1000
            yield Figure(name, taken(found), against, ratio, "1.00 or less")


def _equal() -> Iterator[Figure]:
    for name, traffic in (
        ("p95 equal, 10/s, 10 % share", Traffic()),
        ("p95 equal, 40/s, 50 % share, in 6 stalls a minute", Traffic(40, 0.5, stalls=6)),
    ):
        wrong, single = (
            share_of(_found(_alone(stall), traffic, 120, EQUAL_RUNS)) for stall in (0.25, 0.0)
        )
        against = f"{single:.1%} where each weighs for itself"
        yield Figure(f"{name}, false", f"{wrong:.2%}", against, wrong / ALPHA, "1.00 or less")


def _gate() -> Iterator[Figure]:
    """The whole gate: errors, their limit, three quantiles, one alpha."""
    test = SequentialTest(ALPHA, quantiles=(0.5, 0.95, 0.99))
    for tail in BOTH:
        found = _found(test, Traffic(max_latency_increase=True, tail=tail), 1_000, RUNS // 2)
        name = f"whole gate, latency +50 %{' (tail alone)' if tail else ''}, 10/s, 10 % share"
        ratio = float(np.median(found)) / 1000
        yield Figure(name, taken(found), "aim 1,000", ratio, "1.00 or less")


def _sample(bad: Marks, values: Numbers, seconds: int) -> Sample:
    failed = int(bad.sum())
    return Sample(Counts(len(bad) - failed, failed), histogram(values), seconds)
