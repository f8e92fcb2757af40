"""Users of a service while it is released and rolled back: who fails, and how soon all are back.

A steady load asks the public URL 200 times a second over kept-alive connections, paced by the clock
and not by the answers. The service stands on a local cloud in a process of its own, whose instances
are programs. First it is changed as a release changes it, up to everybody and back at once, and the
candidate is deleted; then it is rolled back from everybody again and again. A rollback has
ended for users with the last answer of the candidate, and for whoever asked for it with the
end of its operation; both are told from the moment in which UpdateService is sent. Answers come
every 5 ms, so no figure of theirs is finer.
"""

import statistics
from collections.abc import Sequence
from contextlib import closing
from time import monotonic

from google.cloud import run_v2

from benchmarks.figures import Figure, say
from benchmarks.shop import CANDIDATE, Shop, local_cloud
from benchmarks.steady_load import Asked, SteadyLoad

RATE, RELEASES, ROLLBACKS = 200, 3, 20
ECHO = run_v2.Container(image="in-process/echo")
_BAKE = 200
"""Requests between two changes."""


def measure() -> list[Figure]:
    """One load through everything, of which the first part is undisturbed."""
    with local_cloud("in-process") as address, closing(Shop(address, ECHO)) as shop:
        with SteadyLoad(f"{shop.open()}/api/health", RATE) as load:
            load.go_on(5 * _BAKE)
            calm = len(load.asked)
            for _ in range(RELEASES):
                _release(shop, load)
            rounds = [_rolled_back(shop, load) for _ in range(ROLLBACKS)]
        return [*_of_load(load.asked, calm), *_of_rollbacks(rounds)]


def _release(shop: Shop, load: SteadyLoad) -> None:
    shop.deploy()
    for percent in (10, 50, 100, 0):
        shop.share(percent)
        load.go_on(_BAKE)
    shop.retire()


def _rolled_back(shop: Shop, load: SteadyLoad) -> tuple[float, float]:
    """Milliseconds to the last answer of the candidate, and to the end of the operation."""
    shop.deploy()
    shop.share(100)
    load.go_on(_BAKE // 4)
    began = monotonic()
    shop.share(0)
    done = monotonic()
    load.go_on(_BAKE // 4)
    last = max(one.ended for one in load.asked if one.revision == CANDIDATE)
    shop.retire()
    return 1000 * max(0.0, last - began), 1000 * (done - began)


def _of_load(asked: Sequence[Asked], calm: int) -> list[Figure]:
    for one in (one for one in asked if one.failed):
        say(f"  failed: {one}")
    failed = sum(one.failed for one in asked)
    rate = len(asked) / (asked[-1].ended - asked[0].due)
    before, during = _p99(asked[:calm]), _p99(asked[calm:])
    return [
        Figure(
            "load, failed requests",
            f"{failed} of {len(asked)}",
            f"{rate:.0f} requests/s through {RELEASES} releases, {ROLLBACKS} rollbacks",
            failed / len(asked),
            "0.00",
        ),
        Figure("load, p99", f"{during:.1f} ms", f"undisturbed {before:.1f} ms", during / before),
    ]


def _of_rollbacks(rounds: Sequence[tuple[float, float]]) -> list[Figure]:
    lasts, dones = zip(*rounds, strict=True)
    return [
        Figure(
            f"rollback, last answer, {name}", f"{last:.0f} ms", f"done {done:.0f} ms", last / done
        )
        for name, last, done in (
            ("median", statistics.median(lasts), statistics.median(dones)),
            ("p95", _p95(lasts), _p95(dones)),
        )
    ]


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def _p99(asked: Sequence[Asked]) -> float:
    return statistics.quantiles([one.milliseconds for one in asked], n=100)[-1]
