"""How soon a canary is judged, and how often wrongly, beside other judges of the same requests.

Every stream is drawn from a fixed seed. Ours and the bound roll back 1 in 100 equal ones at most;
ours is read at every request, the others once a minute. `make docs` draws the plots of
docs/canary.md.
"""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from benchmarks import verdict_canaries, verdict_latency
from benchmarks.figures import Figure, say, table
from benchmarks.verdict_judges import (
    ALPHA,
    Kind,
    Numbers,
    Streams,
    judged,
    share_of,
    taken,
)
from greenrun.model.stats import Counts, ErrorRateComparison, Outcome
from greenrun.model.stats.power import time_to_detect

RUNS, EQUAL_RUNS, LONG = 4000, 10_000, 20_000
A_MINUTE = 600


def measure() -> list[Figure]:
    """Detection, false alarms, latency, and whole canaries beside their plans."""
    return [
        *_against_bound(),
        *_false_alarms(),
        *_minutes(),
        *_by_minutes(),
        *verdict_latency.measure(),
        *verdict_canaries.measure(),
    ]


def _against_bound() -> Iterator[Figure]:
    for share, requests in ((0.5, 6_000), (0.1, 18_000)):
        kind = Kind(requests, share, 0.01, 0.05)
        found = judged(kind, RUNS, 1, A_MINUTE)
        name = f"1 % to 5 %, {100 * share:.0f}/{100 - 100 * share:.0f}"
        _say_all(name, found)
        ours = found["greenrun"]
        bound = f"Wald's bound {kind.bound:,.0f}"
        yield Figure(name, taken(ours), bound, float(ours.mean() / kind.bound), "1.25 or less")


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
    forecast = time_to_detect(10, 0.05, 0.001, 0.05, ALPHA) / timedelta(minutes=1)
    yield Figure(name, f"median {minutes:.1f} min", "aim 3 min", minutes / 3, "1.00 or less")
    mean = float(found["greenrun"].mean()) / A_MINUTE
    yield Figure(
        "the same, as power forecasts",
        f"mean {mean:.1f} min",
        f"{forecast:.1f} min",
        mean / forecast,
    )


def _by_minutes() -> Iterator[Figure]:
    """The same by the domain itself, from points a minute, as a platform's metrics have them."""
    kind, test = Kind(18_000, 0.05, 0.001, 0.05), ErrorRateComparison(ALPHA)
    (streams,) = kind.streams(200, 3)
    after = [_failed_at(test, streams, run) for run in range(len(streams.bad))]
    minutes = float(np.median(after))
    name = "the same, from points a minute"
    yield Figure(name, f"median {minutes:.0f} min", "aim 3 min", minutes / 3, "1.00 or less")


def _failed_at(test: ErrorRateComparison, streams: Streams, run: int) -> float:
    result = test.start()
    for minute in range(1, streams.bad.shape[1] // A_MINUTE + 1):
        until = minute * A_MINUTE
        result = test.update(result, *_counts(streams, run, until))
        if result.outcome is Outcome.FAIL:
            return minute
    return np.inf


def _counts(streams: Streams, run: int, until: int) -> tuple[Counts, Counts]:
    one, bad = streams.candidate[run, :until], streams.bad[run, :until]
    one_bad = int((one & bad).sum())
    mine, failed = int(one.sum()), int(bad.sum())
    theirs = failed - one_bad
    return Counts(mine - one_bad, one_bad), Counts(until - mine - theirs, theirs)


def _say_all(name: str, found: dict[str, Numbers]) -> None:
    for judge, after in found.items():
        middle = float(np.median(after))
        when = f"median after {middle:,.0f} requests" if np.isfinite(middle) else "median never"
        say(f"  {name}: {judge} rolls back {share_of(after):.2%}, {when}")


if __name__ == "__main__":
    say(f"\n{table(measure())}")
