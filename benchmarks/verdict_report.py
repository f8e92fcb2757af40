"""The evidence of one canary, as the report of a release shows it."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from greenrun.canary.judge import RequestJudge, decide
from greenrun.canary.sources.source import Measurement
from greenrun.model.canary_step import CanaryStep, CountedBy, Observation
from greenrun.model.stats import Counts, Outcome, Sample, SequentialTest
from greenrun.reporting.charts.charts import MatplotlibCharts

BEGAN = timedelta()
SHARE, USERS, PROBES, LAG = 0.1, 10, 10, 15
BASELINE, REGRESSION = 0.004, 0.025


class DrawnSource:
    """Counts both revisions, and learns of it at whole multiples of so many seconds."""

    lag = timedelta()

    def __init__(
        self, counted_by: CountedBy, rates: tuple[float, float], late: int, seed: int
    ) -> None:
        self.counted_by = counted_by
        self.interval = timedelta(seconds=late)
        self._random = np.random.default_rng(seed)
        self._rates = rates
        self._late = late
        self._counts = [Counts(), Counts()]

    def start_step(self, share: int) -> None:
        """Change nothing: all shares are drawn alike."""

    def read(self) -> Measurement:
        """Draw what has come since, and return all until now."""
        for place, bad in enumerate((REGRESSION, BASELINE)):
            requests = self._random.poisson(self._rates[place] * self._late)
            failed = int(self._random.binomial(requests, bad))
            self._counts[place] += Counts(int(requests) - failed, failed)
        candidate, baseline = map(Sample, self._counts)
        return Measurement(candidate, baseline)


def draw() -> bytes:
    """Draw the chart as an SVG document."""
    evidence, *_ = MatplotlibCharts().of_canary([_analysed()])
    return evidence.svg


def _analysed() -> CanaryStep:
    both = (
        DrawnSource(CountedBy.PROBES, (PROBES / 2, PROBES / 2), 1, 5),
        DrawnSource(CountedBy.PLATFORM, (USERS * SHARE, USERS * (1 - SHARE)), LAG, 7),
    )
    judges = [RequestJudge(one, SequentialTest(alpha=0.005)) for one in both]
    observations = list(_observations(judges))
    decision = decide(judges)
    share = round(100 * SHARE)
    ended = observations[-1].at
    return CanaryStep(share, decision.outcome, decision.sentence, BEGAN, ended, tuple(observations))


def _observations(judges: list[RequestJudge]) -> Iterator[Observation]:
    """Observe each second, until it is decided."""
    now = BEGAN
    while decide(judges).outcome not in (Outcome.PASS, Outcome.FAIL):
        now += timedelta(seconds=1)
        due = [one for one in judges if not (now - BEGAN) % one.source.interval]
        yield from (one.observe(BEGAN, now, last=False) for one in due)
