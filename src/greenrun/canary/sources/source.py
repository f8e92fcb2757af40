"""The interface of whatever counts requests of both revisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from greenrun.model.canary_step import CountedBy
from greenrun.model.stats import Counts, Sample


@dataclass(frozen=True, slots=True)
class Measurement:
    """Counts of both revisions since the canary began, which never fall.

    `probes` has the counts of candidate and baseline by probe, where the source sends them.
    """

    candidate: Sample
    baseline: Sample
    probes: Mapping[str, tuple[Counts, Counts]] = field(default_factory=dict, repr=False)


class MetricSource(Protocol):
    """Counts requests of both revisions."""

    @property
    def counted_by(self) -> CountedBy:
        """Who counts."""

    @property
    def interval(self) -> timedelta:
        """How often there may be something new."""

    @property
    def lag(self) -> timedelta:
        """How late the source knows of what has happened."""

    def start_step(self, share: int) -> None:
        """Hear of a share of the users, in percent, before anything is counted at it."""

    def read(self) -> Measurement:
        """Return all that was counted by now."""
