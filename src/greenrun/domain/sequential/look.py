"""What one look at the counts shows, and what the next one has to remember."""

from dataclasses import dataclass, field
from enum import Enum

from greenrun.domain.gate import Verdict
from greenrun.domain.sequential.counts import Counts
from greenrun.domain.sequential.odds import STEPS


class Outcome(Enum):
    """Where the evidence stands. No data is an outcome of its own, and never a pass."""

    PASS = "pass"  # noqa: S105 - an outcome, no password
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no data"
    FAIL = "fail"

    @property
    def verdict(self) -> Verdict:
        """As gates know it."""
        return Verdict.INCONCLUSIVE if self is Outcome.NO_DATA else Verdict(self.value)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Natural logarithms of what was gained on bets, and of what it takes to decide.

    `against` the candidate, and `for_` it. 4.6 is odds of 100 to 1.
    """

    against: float
    for_: float
    against_needed: float
    for_needed: float

    def __str__(self) -> str:
        against, for_ = self.against / self.against_needed, self.for_ / self.for_needed
        return f"evidence against {max(against, 0):.0%}, for {max(for_, 0):.0%} of what it takes"


@dataclass(frozen=True, slots=True)
class Memory:
    """What has been weighed: counts up to here, and what each bet has gained by them.

    `since` is where the evidence for the candidate begins.
    """

    candidate: Counts = Counts()
    baseline: Counts = Counts()
    gains: tuple[float, ...] = field(default=(0.0,) * len(STEPS), repr=False)
    since: tuple[Counts, Counts] = (Counts(), Counts())


@dataclass(frozen=True, slots=True)
class Look:
    """Counts since the start, the evidence in them, and the outcome; a failure stays one."""

    candidate: Counts
    baseline: Counts
    evidence: Evidence
    outcome: Outcome = Outcome.NO_DATA
    memory: Memory = field(default=Memory(), repr=False)

    @property
    def requests(self) -> int:
        """Of both revisions."""
        return self.candidate.total + self.baseline.total

    def sentence(self, bad: str = "failed") -> str:
        """The verdict as people say it; `bad` is what bad requests did."""
        counted = (
            f"{self.candidate} candidate requests {bad}, {self.baseline} baseline requests"
        )
        match self.outcome:
            case Outcome.FAIL:
                return f"rolled back after {self.requests:,} requests: {counted}"
            case Outcome.PASS:
                return f"passed after {self.requests:,} requests: {counted}"
            case Outcome.INCONCLUSIVE:
                return f"undecided after {self.requests:,} requests: {counted}; {self.evidence}"
            case Outcome.NO_DATA:
                return (
                    f"no data: the candidate answered {self.candidate.total:,} requests, "
                    f"the baseline {self.baseline.total:,}"
                )


def decided(before: Outcome, evidence: Evidence) -> Outcome:
    """Where evidence leads. A worsening proven to be under the tolerated size is none.

    What was decided stays, but a pass can still turn into a failure.
    """
    if before is Outcome.FAIL:
        return Outcome.FAIL
    if before is not Outcome.PASS and evidence.for_ >= evidence.for_needed:
        return Outcome.PASS
    if evidence.against >= evidence.against_needed:
        return Outcome.FAIL
    return Outcome.PASS if before is Outcome.PASS else Outcome.INCONCLUSIVE
