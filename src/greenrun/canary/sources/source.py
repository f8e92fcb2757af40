"""What whoever counts has counted by now, of both revisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from greenrun.model.canary_step import CountedBy
from greenrun.model.stats import Counts, Sample


def _ignore(_: int) -> None:
    """Most count what comes, whatever the share."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts since the canary began, which never fall.

    `paths` has the counts of candidate and baseline by path, where whoever counts knows paths.
    """

    candidate: Sample
    baseline: Sample
    paths: Mapping[str, tuple[Counts, Counts]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class MetricSource:
    """One that counts: who it is, how to ask, how long to wait between, how late answers are.

    `rise` is told of each share of the users, in percent, before anything is counted at it.
    """

    counted_by: CountedBy
    read: Callable[[], Reading] = field(repr=False)
    every: timedelta = timedelta()
    lag: timedelta = timedelta()
    rise: Callable[[int], None] = field(default=_ignore, repr=False)
