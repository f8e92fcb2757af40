"""Whole canaries of healthy candidates, beside what their plans have forecast."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from benchmarks.figures import Figure
from benchmarks.verdict_judges import ALPHA, Numbers
from greenrun.canary.forecast import Forecast, UserTraffic
from greenrun.model.plan import CanaryPlan
from greenrun.model.stats import Counts, Histogram, Outcome, Results, Sample, SequentialTest
from greenrun.model.stats.power import NINE_IN_TEN

BUCKETS = Histogram.exponential(66, 1.4, 1.0)
PLAN = CanaryPlan((10, 50))
TRIAL = SequentialTest(
    ALPHA, quantiles=(0.5, 0.95, 0.99), latency_limits=((0.5, 300), (0.95, 800), (0.99, 2000))
)
RUNS, IN_A_ROW = 100, 20
OBSERVATIONS, LONGEST = 20, 4
"""Observations within the time that is forecast, and how many times that is waited."""


@dataclass(frozen=True, slots=True)
class Service:
    """What both revisions are like: requests per second, error rate, chance of each bucket."""

    per_second: float
    errors: float
    buckets: Numbers

    @property
    def traffic(self) -> UserTraffic:
        """As the platform tells of a day of it."""
        requests = round(self.per_second * 86_400)
        bad = round(requests * self.errors)
        counts = tuple(int(count) for count in np.round(self.buckets * requests))
        sample = Sample(Counts(requests - bad, bad), Histogram(BUCKETS.bounds, counts))
        return UserTraffic(self.per_second, sample, timedelta(days=1))


def service(per_second: float, errors: float) -> Service:
    """Half of its requests take over 80 ms, one in twenty over 215."""
    values = np.random.default_rng(6).lognormal(np.log(80), 0.6, 200_000)
    places = np.searchsorted(BUCKETS.bounds, values, side="right")
    counts = np.bincount(places, minlength=len(BUCKETS.bounds) + 1)
    return Service(per_second, errors, counts / len(values))


class Revision:
    """What one has answered by now."""

    def __init__(self, service: Service, random: np.random.Generator) -> None:
        self._service = service
        self._random = random
        self._bad = 0
        self._seconds = 0.0
        self._latencies = np.zeros(len(service.buckets), dtype=int)

    def answer(self, requests: int, seconds: float) -> Sample:
        """So many more in so many seconds, drawn by chance; all of them so far."""
        self._seconds += seconds
        self._bad += int(self._random.binomial(requests, self._service.errors))
        self._latencies += self._random.multinomial(requests, self._service.buckets)
        counted = Histogram(BUCKETS.bounds, tuple(map(int, self._latencies)))
        return Sample(Counts(counted.total - self._bad, self._bad), counted, self._seconds)


@dataclass(frozen=True, slots=True)
class Taken:
    """How long each step took, in what was forecast; infinite where it did not pass."""

    steps: tuple[float, ...]
    rolled_back: bool


@dataclass(frozen=True, slots=True)
class Canary:
    """A canary of a healthy candidate, and the time that each step is forecast to take."""

    service: Service
    forecast: dict[int, timedelta]

    def run(self, seed: int) -> Taken:
        """All steps, one after the other; what the baseline takes is known from its day."""
        random = np.random.default_rng([7, seed])
        revisions = Revision(self.service, random), Revision(self.service, random)
        results, took = TRIAL.start(self.service.traffic.sample.latencies), []
        for share in PLAN.steps:
            results = TRIAL.next_step(results)
            number, results = self._analysed(results, share, revisions, random)
            took.append(number / OBSERVATIONS if results.outcome is Outcome.PASS else np.inf)
            if results.outcome is Outcome.FAIL:
                break
        rolled_back = results.outcome is Outcome.FAIL
        return Taken((*took, *[np.inf] * (len(PLAN.steps) - len(took))), rolled_back)

    def _analysed(
        self,
        results: Results,
        share: int,
        revisions: tuple[Revision, Revision],
        random: np.random.Generator,
    ) -> tuple[int, Results]:
        one, other = revisions
        seconds = self.forecast[share].total_seconds() / OBSERVATIONS
        requests = seconds * self.service.per_second
        for number in range(1, OBSERVATIONS * LONGEST + 1):
            mine = int(random.poisson(requests * share / 100))
            theirs = int(random.poisson(requests * (1 - share / 100)))
            both = one.answer(mine, seconds), other.answer(theirs, seconds)
            results = TRIAL.update(results, *both)
            if results.outcome in {Outcome.PASS, Outcome.FAIL}:
                return number, results
        return OBSERVATIONS * LONGEST, results


def canary(per_second: float, errors: float) -> Canary:
    """One that has its time from the plan."""
    found = service(per_second, errors)
    forecast = Forecast(PLAN, TRIAL, found.traffic)
    return Canary(found, {share: forecast.passes(share) for share in PLAN.steps})


def measure() -> Iterator[Figure]:
    """Whether the healthy pass when they should, and how many rows of twenty are whole."""
    for errors in (0.0, 0.004, 0.02):
        here = canary(10, errors)
        runs = [here.run(seed) for seed in range(RUNS)]
        name = f"healthy, {100 * errors:g} % errors, 10/s"
        for place, share in enumerate(PLAN.steps):
            took = np.array([run.steps[place] for run in runs])
            yield _of_step(f"{name}, share {share} %", took, here.forecast[share])
        rows = np.array([run.rolled_back for run in runs]).reshape(-1, IN_A_ROW)
        wrong = float(rows.mean())
        whole = f"{wrong:.1%} rolled back, {(~rows.any(axis=1)).sum()} of {len(rows)} rows whole"
        yield Figure(f"{name}, twenty in a row", whole, "", wrong / ALPHA, "1.00 or less")


def _of_step(name: str, took: Numbers, forecast: timedelta) -> Figure:
    middle, in_time = float(np.median(took)), float((took <= NINE_IN_TEN).mean())
    minutes = forecast / timedelta(minutes=1)
    measured = f"median {middle * minutes:.1f} min, {in_time:.0%} in twice what was forecast"
    return Figure(name, measured, f"forecast {minutes:.1f} min", middle)
