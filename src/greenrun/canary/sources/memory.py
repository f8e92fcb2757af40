"""How much of its memory the candidate uses, beside what it may use."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from greenrun.model.canary_step import CountedBy, MemoryObservation
from greenrun.model.interfaces import Metrics
from greenrun.model.objective import Quantity
from greenrun.model.stats import Outcome

UNTOLD = (
    "the platform has told nothing new of the metric container/memory/utilizations: on Google it "
    "does so each minute, some minutes late; allow more time (`canary.max-duration`), or take the "
    "row `memory` out of the objectives"
)
TOO_MUCH = "find what keeps the memory, or let it have more (`deploy.memory`)"
"""Hints: what to do about one that has not passed."""


class MemoryJudge:
    """Compares the most that was used since the canary began with a limit, in %.

    That is no matter of chance, so it takes no part of alpha. A failure stays one; a pass needs
    that something was told of the time since the last rise. The baseline is told for comparison.
    """

    def __init__(
        self,
        metrics: Metrics,
        limit: Quantity,
        revisions: tuple[str, str],
        since: datetime,
        every: timedelta = timedelta(),
    ) -> None:
        """Judge the first of two revisions; `every`: how long to wait before it asks again."""
        self._metrics = metrics
        self._limit = limit
        self._candidate, self._baseline = revisions
        self._since = since
        self._every = every
        self._most: dict[str, Quantity] = {}
        self._told = False
        self._asked: datetime | None = None

    def rise(self, share: int) -> None:  # noqa: ARG002 - of whatever share, it is a new one
        """Another share of the users: wait for what is told of that."""
        self._told = False

    def due(self, now: datetime) -> bool:
        """True where the platform may know more than when it was asked last."""
        return self._asked is None or now - self._asked >= self._every

    def observation(self, began: datetime, now: datetime, *, last: bool) -> MemoryObservation:  # noqa: ARG002 - nothing is left over
        """Ask the platform; `began` is when the split was in effect."""
        self._asked = now
        self._told = self._told or self._ask(self._candidate, began)
        for revision in (self._candidate, self._baseline):
            self._ask(revision, self._since)
        most = self._most
        return MemoryObservation(
            now, most.get(self._candidate), most.get(self._baseline), self._limit, self.outcome
        )

    @property
    def outcome(self) -> Outcome:
        """Never inconclusive: what is told decides."""
        most = self._most.get(self._candidate)
        if most and most.value > self._limit.value:
            return Outcome.FAIL
        return Outcome.PASS if self._told else Outcome.NO_DATA

    @property
    def sentence(self) -> str:
        """As people say it, and who has told."""
        if self.outcome is Outcome.NO_DATA:
            told = "no data: nothing is told yet of the candidate's memory at this share"
        else:
            told = f"the candidate used {self._most[self._candidate]} of its memory"
        limit = f", needs at most {self._limit}" if self.outcome is Outcome.FAIL else ""
        return f"{told}{limit} ({CountedBy.PLATFORM.value})"

    def _ask(self, revision: str, since: datetime) -> bool:
        """True where something is told; the most is kept, as series may tell of less anew."""
        found = self._metrics.highest("memory", revision, since)
        if found is not None:
            before = self._most.get(revision, found)
            self._most[revision] = max(before, found, key=lambda used: used.value)
        return found is not None


def release_state(observation: MemoryObservation) -> str:
    """In a line, while it runs."""
    if observation.outcome is Outcome.NO_DATA:
        return "no memory told yet"
    return f"memory {observation.candidate} of at most {observation.limit}"


def rows(observation: MemoryObservation) -> Iterator[str]:
    """As a table, once it is over: both revisions, the limit and the outcome."""
    yield f"\n{CountedBy.PLATFORM.value}: the most of its memory limit that a revision has used"
    yield f"{'':<12}{'candidate':>18}{'baseline':>18}{'at most':>15}  outcome"
    used = (str(one or "not told") for one in (observation.candidate, observation.baseline))
    told = "".join(f"{one:>18}" for one in used)
    yield f"{'memory':<12}{told}{observation.limit!s:>15}  {observation.outcome.value}"
