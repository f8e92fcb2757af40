"""What a candidate has to keep by itself, whatever the baseline does."""

import math
from dataclasses import dataclass, replace

from greenrun.model.stats.counts import Counts
from greenrun.model.stats.look import Outcome, Result, begin, decided, renewed
from greenrun.model.stats.odds import better_than, worse_than
from greenrun.model.stats.stalls import weight


@dataclass(frozen=True, slots=True)
class Objective:
    """The share of bad requests, on average, is under `limit` (0 to 1).

    `alpha`: the chance of ever failing a candidate that keeps it. `beta`: the chance of ever
    passing one that does not. The rate may change from request to request. `stall`: the seconds in
    which bad requests may have one cause, and weigh against the candidate as one; 0 for none.
    """

    limit: float = 0.05
    alpha: float = 0.01
    beta: float = 0.05
    stall: float = 0.0

    def begin(self) -> Result:
        """Before anything was counted."""
        return begin(self.alpha, self.beta)

    def look(
        self,
        before: Result,
        candidate: Counts,
        strictly: Counts | None = None,
        seconds: float = 0.0,
    ) -> Result:
        """Weigh what was counted in the `seconds` since the start.

        All requests weigh alike: in a stall there are fewer of them, and they must not weigh more.

        Where it cannot be told of every request whether it was bad, `candidate` has those as bad
        that were so for certain, and `strictly` those that may have been.

        Raises:
            ValueError: a count has fallen since `before`.
        """
        _ = candidate - before.candidate
        stalls = seconds / self.stall if self.stall else math.inf
        weighed = replace(before.weighed, strict=candidate if strictly is None else strictly)
        evidence = replace(
            before.evidence,
            against=worse_than(weight(candidate, stalls), self.limit),
            for_=better_than(weighed.strict - weighed.since[0], self.limit),
        )
        outcome = decided(before.outcome, evidence) if candidate.total else Outcome.NO_DATA
        return Result(candidate, Counts(), evidence, outcome, weighed)

    def next_step(self, before: Result) -> Result:
        """Ask anew for evidence for the candidate; that against it is kept over all steps."""
        return renewed(before, replace(before.weighed, since=(before.weighed.strict, Counts())))

    def sentence(self, look: Result, bad: str = "failed") -> str:
        """The verdict as people say it; `bad` is what bad requests did."""
        of = look.candidate
        share, limit = f"{100 * of.rate:.3g} %", f"{100 * self.limit:.3g} %"
        counted = f"{of} candidate requests {bad} ({share}, needs under {limit})"
        match look.outcome:
            case Outcome.FAIL:
                return f"rolled back after {of.total:,} candidate requests: {counted}"
            case Outcome.PASS:
                return f"passed after {of.total:,} candidate requests: {counted}"
            case Outcome.INCONCLUSIVE:
                return f"undecided: {counted}; {look.evidence}"
            case Outcome.NO_DATA:
                return "no data: the candidate answered no requests"
