"""How soon a canary is judged, and how often wrongly, beside other judges of the same requests.

Every stream is drawn from a fixed seed. Ours and the bound roll back 1 in 100 equal ones at most;
ours is looked at at every request, the others once a minute. `python -m benchmarks.verdict` also
draws the plots of docs/canary.md.
"""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from benchmarks.figures import Figure, say, table
from benchmarks.verdict_judges import (
    ALPHA,
    Kind,
    Marks,
    Numbers,
    Streams,
    judged,
    sequential,
    share_of,
)
from greenrun.domain.histogram import Histogram
from greenrun.domain.sequential import Counts, Outcome, Quantile, Sample, Sequential, Trial, power

RUNS, EQUAL_RUNS, LONG = 4000, 10_000, 20_000
A_MINUTE = 600
EMPTY = Histogram.exponential(66, 1.4, 1.0)


def measure() -> list[Figure]:
    """Detection, false alarms, latency."""
    return [*_against_bound(), *_false_alarms(), *_minutes(), *_by_minutes(), *_latency(), *_gate()]


def _against_bound() -> Iterator[Figure]:
    for share, requests in ((0.5, 6_000), (0.1, 18_000)):
        kind = Kind(requests, share, 0.01, 0.05)
        found = judged(kind, RUNS, 1, A_MINUTE)
        name = f"1 % to 5 %, {100 * share:.0f}/{100 - 100 * share:.0f}"
        _say_all(name, found)
        ours = found["greenrun"]
        bound = f"Wald's bound {kind.bound:,.0f}"
        yield Figure(name, _requests(ours), bound, float(ours.mean() / kind.bound), "1.25 or less")


def equal_kinds() -> dict[str, Kind]:
    """Candidates with nothing wrong."""
    places = np.arange(LONG)
    steps = np.select([places < LONG // 3, places < 2 * LONG // 3], [0.05, 0.25], 0.5)
    burst = np.where(places // 2_000 % 2, 0.04, 0.002)
    even = {
        f"equal at {100 * rate:g} %, {100 * share:.0f}/{100 - 100 * share:.0f}": Kind(
            LONG, share, rate, rate
        )
        for rate in (0.005, 0.01, 0.02)
        for share in (0.5, 0.1)
    }
    return {**even, "equal, bursts, rising share": Kind(LONG, steps, burst, burst)}


def _false_alarms() -> Iterator[Figure]:
    for name, kind in equal_kinds().items():
        found = judged(kind, EQUAL_RUNS, 2, A_MINUTE)
        _say_all(name, found)
        wrong = {judge: share_of(after) for judge, after in found.items()}
        others = ", ".join(f"{judge} {rate:.1%}" for judge, rate in wrong.items())
        ours = wrong["greenrun"]
        against = others.partition(", ")[2]
        yield Figure(f"{name}, false", f"{ours:.2%}", against, ours / ALPHA, "1.00 or less")


def _minutes() -> Iterator[Figure]:
    kind = Kind(18_000, 0.05, 0.001, 0.05)
    found = judged(kind, RUNS, 3, A_MINUTE)
    name = "0.1 % to 5 %, 10/s, 5 % share"
    _say_all(name, found)
    minutes = float(np.median(found["greenrun"])) / A_MINUTE
    foretold = power(10, 0.05, 0.001, 0.05, ALPHA) / timedelta(minutes=1)
    yield Figure(name, f"median {minutes:.1f} min", "aim 3 min", minutes / 3, "1.00 or less")
    mean = float(found["greenrun"].mean()) / A_MINUTE
    yield Figure(
        "the same, as power foretells",
        f"mean {mean:.1f} min",
        f"{foretold:.1f} min",
        mean / foretold,
    )


def _by_minutes() -> Iterator[Figure]:
    """The same by the domain itself, from points a minute, as a platform's metrics have them."""
    kind, test = Kind(18_000, 0.05, 0.001, 0.05), Sequential(ALPHA)
    (streams,) = kind.streams(200, 3)
    after = [_failed_at(test, streams, run) for run in range(len(streams.bad))]
    minutes = float(np.median(after))
    name = "the same, from points a minute"
    yield Figure(name, f"median {minutes:.0f} min", "aim 3 min", minutes / 3, "1.00 or less")


def _failed_at(test: Sequential, streams: Streams, run: int) -> float:
    look = test.begin()
    for minute in range(1, streams.bad.shape[1] // A_MINUTE + 1):
        until = minute * A_MINUTE
        look = test.look(look, *_counts(streams, run, until))
        if look.outcome is Outcome.FAIL:
            return minute
    return np.inf


def _counts(streams: Streams, run: int, until: int) -> tuple[Counts, Counts]:
    one, bad = streams.candidate[run, :until], streams.bad[run, :until]
    one_bad = int((one & bad).sum())
    mine, failed = int(one.sum()), int(bad.sum())
    theirs = failed - one_bad
    return Counts(mine - one_bad, one_bad), Counts(until - mine - theirs, theirs)


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
            yield Figure(name, _requests(found), against, ratio, "1.00 or less")
    wrong = share_of(sequential(_slow(0.1, tail=False, slower=False)))
    yield Figure("p95 equal, 10 % share, false", f"{wrong:.2%}", "", wrong / ALPHA, "1.00 or less")


def _slow(share: float, *, tail: bool, slower: bool) -> Streams:
    """What took longer than the bound that the domain chooses for p95."""
    random = np.random.default_rng(4)
    reference = histogram(latencies(random, (10_000,)))
    slow, _ = Quantile(0.95).begin(reference).memory.bounds or (0.0, 0.0)
    shape = (1000, 12_000)
    candidate = random.random(shape) < share
    values = latencies(random, shape)
    if slower:
        values = np.where(candidate, _slower(values, tail=tail), values)
    return Streams(candidate, values >= slow)


def _bound(streams: Streams, share: float) -> float:
    one, other = (
        float(streams.bad[whose].mean()) for whose in (streams.candidate, ~streams.candidate)
    )
    return Kind(0, share, other, one).bound


def _gate() -> Iterator[Figure]:
    """The whole gate by the domain itself: errors, their limit, three quantiles, one alpha."""
    trial = Trial(ALPHA, quantiles=(0.5, 0.95, 0.99))
    found = np.array([_gate_failed_at(trial, seed) for seed in range(60)])
    middle = float(np.median(found))
    name = "whole gate, latency +50 %, 10 % share"
    yield Figure(name, _requests(found), "aim 1,000", middle / 1000, "1.00 or less")


def _gate_failed_at(trial: Trial, seed: int) -> float:
    random = np.random.default_rng([5, seed])
    standings = trial.begin(histogram(latencies(random, (10_000,))))
    one = random.random(5_000) < 0.1
    bad = random.random(5_000) < 0.01
    values = latencies(random, (5_000,)) * np.where(one, 1.5, 1.0)
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


def _requests(found: Numbers) -> str:
    seen = found[np.isfinite(found)]
    missed = f", {1 - len(seen) / len(found):.1%} never" if len(seen) < len(found) else ""
    return f"mean {seen.mean():,.0f}, median {np.median(found):,.0f} requests{missed}"


def _say_all(name: str, found: dict[str, Numbers]) -> None:
    for judge, after in found.items():
        middle = float(np.median(after))
        when = f"median after {middle:,.0f} requests" if np.isfinite(middle) else "median never"
        say(f"  {name}: {judge} rolls back {share_of(after):.2%}, {when}")


def main() -> None:
    """Measure, and draw the plots."""
    from benchmarks.verdict_plots import draw  # noqa: PLC0415 - measuring needs no matplotlib

    say(f"\n{table(measure())}")
    for path in draw():
        say(f"drawn: {path}")


if __name__ == "__main__":
    main()
