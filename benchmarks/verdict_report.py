"""The evidence of one canary, as the report of a release shows it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from greenrun.canary.judge import Judge, decide
from greenrun.canary.sources.source import MetricSource, Reading
from greenrun.model.canary_step import CanaryStep, CountedBy, Observation
from greenrun.model.stats import Counts, Outcome, Sample, SequentialTest
from greenrun.reporting.charts.charts import MatplotlibCharts

BEGAN = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SHARE, USERS, PROBES, LAG = 0.1, 10, 10, 15
BASELINE, REGRESSION = 0.004, 0.025


class Counting:
    """Who counts both revisions, and learns of it at whole multiples of so many seconds."""

    def __init__(
        self, counted_by: CountedBy, rates: tuple[float, float], late: int, seed: int
    ) -> None:
        self.metric_source = MetricSource(counted_by, self.read, timedelta(seconds=late))
        self._random = np.random.default_rng(seed)
        self._rates = rates
        self._late = late
        self._counts = [Counts(), Counts()]

    def read(self) -> Reading:
        """All until now."""
        for place, bad in enumerate((REGRESSION, BASELINE)):
            requests = self._random.poisson(self._rates[place] * self._late)
            failed = int(self._random.binomial(requests, bad))
            self._counts[place] += Counts(int(requests) - failed, failed)
        return Reading(*map(Sample, self._counts))


def draw(path: Path) -> Path:
    """Write it, and say where."""
    evidence, *_ = MatplotlibCharts().of_canary([_watched()])
    path.write_bytes(evidence.svg)
    return path


def _watched() -> CanaryStep:
    both = (
        Counting(CountedBy.PROBES, (PROBES / 2, PROBES / 2), 1, 5),
        Counting(CountedBy.PLATFORM, (USERS * SHARE, USERS * (1 - SHARE)), LAG, 7),
    )
    judges = [Judge(one.metric_source, SequentialTest(alpha=0.005)) for one in both]
    observations = list(_glances(judges))
    decision = decide(judges)
    share = round(100 * SHARE)
    ended = observations[-1].at
    return CanaryStep(share, decision.outcome, decision.sentence, BEGAN, ended, tuple(observations))


def _glances(judges: list[Judge]) -> Iterator[Observation]:
    """A look a second, until it is decided."""
    now = BEGAN
    while decide(judges).outcome not in (Outcome.PASS, Outcome.FAIL):
        now += timedelta(seconds=1)
        due = [one for one in judges if not (now - BEGAN) % one.metric_source.every]
        yield from (one.observation(BEGAN, now, last=False) for one in due)
