"""Streams of requests, and judges of them that decide whenever they can; many runs at once."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from greenrun.model.stats import Counts
from greenrun.model.stats.bets import LOG_STAKES, STEPS, fisher_gains
from greenrun.model.stats.comparisons import BLOCK

ALPHA = 0.01
AT_ONCE = 250
NEVER = np.inf

Marks = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Streams:
    """Requests in the order in which they came, a run a row: whose they were, and how they went."""

    candidate: Marks
    bad: Marks


@dataclass(frozen=True, slots=True)
class Kind:
    """What streams are like: shares and error rates, for the whole run or request by request."""

    requests: int
    share: float | Numbers
    baseline: float | Numbers
    regression: float | Numbers

    def streams(self, runs: int, seed: int) -> Iterator[Streams]:
        """Always the same ones, some at a time."""
        random = np.random.default_rng(seed)
        for start in range(0, runs, AT_ONCE):
            shape = (min(AT_ONCE, runs - start), self.requests)
            candidate = random.random(shape) < self.share
            rate = np.where(candidate, self.regression, self.baseline)
            yield Streams(candidate, random.random(shape) < rate)

    @property
    def bound(self) -> float:
        """The requests that any such test needs on average (A. Wald, 1945; one-sided, no misses).

        It knows both rates, and rests on whom bad requests fall to, as ours does.
        """
        share, mine = float(self.share), float(self.share * self.regression)
        both = mine + float((1 - self.share) * self.baseline)
        fell = mine / both
        apart = fell * math.log(fell / share) + (1 - fell) * math.log((1 - fell) / (1 - share))
        return -math.log(ALPHA) / (both * apart)


def sequential(streams: Streams, alpha: float = ALPHA) -> Numbers:
    """Ours, looked at at every request: after how many each run failed.

    The evidence of a block is looked up in a table that the domain has filled; a test shows that
    this gives what `ErrorRateComparison` gives when it is asked at every request.
    """
    grown = evidence(streams)
    return first(grown >= -math.log(alpha), BLOCK)


def evidence(streams: Streams) -> Numbers:
    """The logarithm of the evidence against each candidate, after each block."""
    one = _in_blocks(streams.candidate)
    one_bad = _in_blocks(streams.candidate & streams.bad)
    other_bad = _in_blocks(~streams.candidate & streams.bad)
    gains = np.zeros((len(one), len(STEPS)))
    grown = np.empty(one.shape)
    for block in range(one.shape[1]):
        gains += table()[one[:, block], one_bad[:, block], other_bad[:, block]]
        grown[:, block] = np.log(np.exp(gains + LOG_STAKES).sum(axis=1))
    return grown


@cache
def table() -> Numbers:
    """What the domain says of a block, by the candidate's requests, its bad ones, the others'."""
    size = BLOCK + 1
    gains = np.zeros((size, size, size, len(STEPS)))
    for one in range(size):
        for one_bad in range(one + 1):
            for other_bad in range(BLOCK - one + 1):
                candidate = Counts(one - one_bad, one_bad)
                baseline = Counts(BLOCK - one - other_bad, other_bad)
                gains[one, one_bad, other_bad] = fisher_gains(candidate, baseline)
    return gains


def fixed_threshold(streams: Streams, a_minute: int) -> Numbers:
    """Rolled back after 5 minutes with less than 99 % success, as in the examples of Flagger."""
    candidate, _ = _rates(streams, a_minute)
    return first(np.cumsum(candidate > 0.01, axis=1) >= 5, a_minute)


def mann_whitney(streams: Streams, a_minute: int) -> Numbers:
    """Rolled back once the ranks of the error rates a minute differ, at `ALPHA`, at any minute."""
    candidate, baseline = _rates(streams, a_minute)
    failed = np.zeros(candidate.shape, dtype=bool)
    for minutes in range(3, candidate.shape[1] + 1):
        tested = mannwhitneyu(
            candidate[:, :minutes],
            baseline[:, :minutes],
            alternative="greater",
            axis=1,
            method="asymptotic",
        )
        failed[:, minutes - 1] = tested.pvalue < ALPHA
    return first(failed, a_minute)


def judged(kind: Kind, runs: int, seed: int, a_minute: int) -> dict[str, Numbers]:
    """Requests until each judge rolled back, run by run, on the same streams."""
    parts = [
        (sequential(some), fixed_threshold(some, a_minute), mann_whitney(some, a_minute))
        for some in kind.streams(runs, seed)
    ]
    names = ("greenrun", "fixed threshold", "Mann-Whitney")
    return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True))


def first(failed: Marks, requests: int) -> Numbers:
    """After how many requests a row first holds, where each column stands for so many."""
    return np.where(failed.any(axis=1), (failed.argmax(axis=1) + 1.0) * requests, NEVER)


def share_of(found: Iterable[float]) -> float:
    """How many of the runs were rolled back, 0 to 1."""
    return float(np.isfinite(np.fromiter(found, float)).mean())


def taken(found: Numbers) -> str:
    """How many it took, as the table of figures tells it."""
    seen = found[np.isfinite(found)]
    beta = f", {1 - len(seen) / len(found):.1%} never" if len(seen) < len(found) else ""
    return f"mean {seen.mean():,.0f}, median {np.median(found):,.0f} requests{beta}"


def _in_blocks(marks: Marks, size: int = BLOCK) -> NDArray[np.int64]:
    whole = marks.shape[1] // size * size
    blocks: NDArray[np.int64] = marks[:, :whole].reshape(len(marks), -1, size).sum(axis=2)
    return blocks


def _rates(streams: Streams, a_minute: int) -> tuple[Numbers, Numbers]:
    """Error rates of both revisions, minute by minute."""
    one = _in_blocks(streams.candidate, a_minute)
    bad = _in_blocks(streams.bad, a_minute)
    one_bad = _in_blocks(streams.candidate & streams.bad, a_minute)
    return one_bad / np.maximum(one, 1), (bad - one_bad) / np.maximum(a_minute - one, 1)
