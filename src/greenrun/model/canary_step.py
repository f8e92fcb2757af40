"""A step of a canary: its observations, and the outcome."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from greenrun.model.objective import Quantity
from greenrun.model.stats import Outcome, Results, Sample


class CountedBy(Enum):
    """Who counted. Our own probes are seconds old; the platform's metrics up to three minutes."""

    PROBES = "our own probes"
    PLATFORM = "the platform's metrics"


@dataclass(frozen=True, slots=True)
class Observation:
    """What one metric source had counted since the canary began, and the results by then.

    `at` is by the monotonic clock, as all times of a canary are.
    """

    at: timedelta
    counted_by: CountedBy
    candidate: Sample = field(repr=False)
    baseline: Sample = field(repr=False)
    results: Results = field(repr=False)


@dataclass(frozen=True, slots=True)
class PeakObservation:
    """The highest value of a gauge of each revision since the canary began, and its limit.

    As the platform tells; None where it has told nothing yet. The candidate has to keep the limit,
    the baseline's value is for comparison.
    """

    at: timedelta
    measure: str
    candidate: Quantity | None
    baseline: Quantity | None
    limit: Quantity
    outcome: Outcome
    remedy: str = field(repr=False)
    """What to do about one that has not passed."""

    def __str__(self) -> str:
        if self.outcome is Outcome.NO_DATA:
            return f"no {self.measure} reported yet"
        return f"{self.measure} {self.candidate} of at most {self.limit}"


@dataclass(frozen=True, slots=True)
class CanaryStep:
    """One rise of the share. `sentence` is the verdict in words, and who counted.

    `began` and `ended` are when the split was in effect and when it was decided, by the monotonic
    clock. `observations` are of all metric sources, oldest first. `peaks` are the last of each
    gauge that has a limit.
    """

    share: int
    outcome: Outcome
    sentence: str
    began: timedelta
    ended: timedelta
    observations: tuple[Observation, ...] = field(repr=False)
    peaks: tuple[PeakObservation, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return f"{self.share} %: {self.sentence}"

    def last(self, counted_by: CountedBy) -> Observation | None:
        """Return the latest observation of one metric source; None where there was none."""
        return next(
            (one for one in reversed(self.observations) if one.counted_by is counted_by), None
        )
