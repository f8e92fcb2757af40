"""How soon a slower candidate is found, by one quantile, by two at once, and by the whole gate."""

import math
from collections.abc import Iterator

import numpy as np

from benchmarks.figures import Figure
from benchmarks.verdict_judges import (
    ALPHA,
    Kind,
    Marks,
    Numbers,
    Streams,
    evidence,
    first,
    sequential,
    share_of,
    taken,
)
from greenrun.domain.histogram import Histogram
from greenrun.domain.sequential import Counts, Outcome, Quantile, Sample, Trial
from greenrun.domain.sequential.comparison import BLOCK

EMPTY = Histogram.exponential(66, 1.4, 1.0)


def measure() -> Iterator[Figure]:
    """Half as much again, of all requests and of the slowest tenth alone."""
    yield from _latency()
    yield from _far_out()
    yield from _gate()


def latencies(random: np.random.Generator, shape: tuple[int, ...]) -> Numbers:
    """Milliseconds of a healthy service: half take over 80, one in twenty over 215."""
    return random.lognormal(np.log(80), 0.6, shape)


def histogram(values: Numbers) -> Histogram:
    """In the buckets in which Cloud Run counts them."""
    places = np.searchsorted(EMPTY.bounds, values, side="right")
    counts = np.bincount(places, minlength=len(EMPTY.bounds) + 1)
    return Histogram(EMPTY.bounds, tuple(map(int, counts)))


def _slower(values: Numbers, *, tail: bool) -> Numbers:
    """Half as much again: all of them, or the slowest tenth alone."""
    border = np.exp(np.log(80) + 0.6 * 1.2816) if tail else 0.0
    return np.where(values > border, 1.5 * values, values)


def _latency() -> Iterator[Figure]:
    for tail in (False, True):
        for share in (0.5, 0.1):
            streams = _slow(share, tail=tail, slower=True)
            found = sequential(streams)
            name = f"p95 +50 %{' (tail alone)' if tail else ''}, {100 * share:.0f} % share"
            against = f"aim 1,000; Wald's bound {_bound(streams, share):,.0f}"
            ratio = float(np.median(found)) / 1000
            yield Figure(name, taken(found), against, ratio, "1.00 or less")
    wrong = share_of(sequential(_slow(0.1, tail=False, slower=False)))
    yield Figure("p95 equal, 10 % share, false", f"{wrong:.2%}", "", wrong / ALPHA, "1.00 or less")


def _slow(share: float, *, tail: bool, slower: bool, quantile: float = 0.95) -> Streams:
    """What took longer than the bound that the domain chooses for p95."""
    random = np.random.default_rng(4)
    reference = histogram(latencies(random, (10_000,)))
    slow, _ = Quantile(quantile).begin(reference).memory.bounds or (0.0, 0.0)
    shape = (1000, 12_000)
    candidate = random.random(shape) < share
    values = latencies(random, shape)
    if slower:
        values = np.where(candidate, _slower(values, tail=tail), values)
    return Streams(candidate, values >= slow)


def _far_out() -> Iterator[Figure]:
    """What it would bring to spread the stakes over the bounds of p95 and p99, as one test."""
    for tail, slower in ((False, True), (True, True), (False, False)):
        near, far = (
            evidence(_slow(0.1, tail=tail, slower=slower, quantile=quantile))
            for quantile in (0.95, 0.99)
        )
        found = first(np.logaddexp(near, far) - math.log(2) >= -math.log(ALPHA), BLOCK)
        name = f"p95 and p99 at once, 10 % share{' (tail alone)' if tail else ''}"
        if slower:
            ratio = float(np.median(found)) / 1000
            yield Figure(name, taken(found), "aim 1,000", ratio, "1.00 or less")
        else:
            wrong = share_of(found)
            yield Figure(f"{name}, equal", f"{wrong:.2%}", "", wrong / ALPHA, "1.00 or less")


def _bound(streams: Streams, share: float) -> float:
    one, other = (
        float(streams.bad[whose].mean()) for whose in (streams.candidate, ~streams.candidate)
    )
    return Kind(0, share, other, one).bound


def _gate() -> Iterator[Figure]:
    """The whole gate by the domain itself: errors, their limit, three quantiles, one alpha."""
    trial = Trial(ALPHA, quantiles=(0.5, 0.95, 0.99))
    for tail in (False, True):
        found = np.array([_gate_failed_at(trial, seed, tail=tail) for seed in range(60)])
        middle = float(np.median(found))
        name = f"whole gate, latency +50 %{' (tail alone)' if tail else ''}, 10 % share"
        yield Figure(name, taken(found), "aim 1,000", middle / 1000, "1.00 or less")


def _gate_failed_at(trial: Trial, seed: int, *, tail: bool) -> float:
    random = np.random.default_rng([5, seed])
    standings = trial.begin(histogram(latencies(random, (10_000,))))
    one = random.random(5_000) < 0.1
    bad = random.random(5_000) < 0.01
    values = latencies(random, (5_000,))
    values = np.where(one, _slower(values, tail=tail), values)
    for until in range(32, 5_000, 32):
        seen, fell = slice(until), one[:until]
        candidate, baseline = (
            _sample(bad[seen][whose], values[seen][whose]) for whose in (fell, ~fell)
        )
        standings = trial.look(standings, candidate, baseline)
        if standings.outcome is Outcome.FAIL:
            return until
    return np.inf


def _sample(bad: Marks, values: Numbers) -> Sample:
    failed = int(bad.sum())
    return Sample(Counts(len(bad) - failed, failed), histogram(values))
