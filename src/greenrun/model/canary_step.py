"""A step of a canary as it was watched: every look, and what came of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from greenrun.model.objective import Quantity
from greenrun.model.stats import Outcome, Results, Sample


class CountedBy(Enum):
    """Who counted. Our own probes are seconds old; the platform's metrics up to three minutes."""

    PROBES = "our own probes"
    PLATFORM = "the platform's metrics"


@dataclass(frozen=True, slots=True)
class Observation:
    """What one watcher had counted since the canary began, and where that evidence stands."""

    at: datetime
    counted_by: CountedBy
    candidate: Sample = field(repr=False)
    baseline: Sample = field(repr=False)
    results: Results = field(repr=False)


@dataclass(frozen=True, slots=True)
class MemoryObservation:
    """The most of its memory limit that each revision has used since the canary began, in %.

    As the platform tells; None where it has told nothing yet. `limit` is what the candidate keeps.
    """

    at: datetime
    candidate: Quantity | None
    baseline: Quantity | None
    limit: Quantity
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class CanaryStep:
    """One rise of the share. `sentence` is the verdict as people say it, who counted included.

    `began` and `ended` are when the split was in effect and when it was decided. `observations`
    are of all who count, oldest first. `memory` is the last one of it; None where nobody asks.
    """

    share: int
    outcome: Outcome
    sentence: str
    began: datetime
    ended: datetime
    observations: tuple[Observation, ...] = field(repr=False)
    memory: MemoryObservation | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.share} %: {self.sentence}"

    def last(self, counted_by: CountedBy) -> Observation | None:
        """The latest of one watcher; None where there was none."""
        return next(
            (one for one in reversed(self.observations) if one.counted_by is counted_by), None
        )
