"""What a candidate has to keep by itself, whatever the baseline does."""

import math
from dataclasses import dataclass, replace

from greenrun.domain.sequential.counts import Counts
from greenrun.domain.sequential.look import Evidence, Look, Outcome, decided
from greenrun.domain.sequential.odds import better_than, worse_than


@dataclass(frozen=True, slots=True)
class Objective:
    """The share of bad requests, on average, is under `limit` (0 to 1).

    `alpha`: the chance of ever failing a candidate that keeps it. `missed`: the chance of ever
    passing one that does not. The rate may change from request to request.
    """

    limit: float = 0.05
    alpha: float = 0.01
    missed: float = 0.05

    def begin(self) -> Look:
        """Before anything was counted."""
        evidence = Evidence(0.0, 0.0, -math.log(self.alpha), -math.log(self.missed))
        return Look(Counts(), Counts(), evidence)

    def look(self, before: Look, candidate: Counts, strictly: Counts | None = None) -> Look:
        """Weigh what was counted since the start.

        Where it cannot be told of each request whether it was bad, `strictly` has all that may have
        been among the bad ones: they speak for the candidate only.

        Raises:
            ValueError: a count has fallen since `before`.
        """
        _ = candidate - before.candidate
        evidence = replace(
            before.evidence,
            against=worse_than(candidate, self.limit),
            for_=better_than(strictly or candidate, self.limit),
        )
        outcome = decided(before.outcome, evidence) if candidate.total else Outcome.NO_DATA
        return replace(before, candidate=candidate, evidence=evidence, outcome=outcome)

    def sentence(self, look: Look, bad: str = "failed") -> str:
        """The verdict as people say it; `bad` is what bad requests did."""
        of = look.candidate
        counted = f"{of} candidate requests {bad}, where {self.limit:.4g} of them may"
        counted = f"{of} candidate requests {bad} ({100 * of.rate:.3g} %, needs under {100 * self.limit:.3g} %)"
        match look.outcome:
            case Outcome.FAIL:
                return f"rolled back after {of.total:,} candidate requests: {counted}"
            case Outcome.PASS:
                return f"passed after {of.total:,} candidate requests: {counted}"
            case Outcome.INCONCLUSIVE:
                return f"undecided: {counted}; {look.evidence}"
            case Outcome.NO_DATA:
                return "no data: the candidate answered no requests"
