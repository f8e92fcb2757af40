"""What one look at the counts shows, and what the next one has to remember."""

import math
from dataclasses import dataclass, field, replace
from enum import Enum
from operator import add

from greenrun.model.histogram import UNKNOWN, Histogram
from greenrun.model.objective import Verdict
from greenrun.model.stats.counts import Counts
from greenrun.model.stats.odds import STEPS, log_of_sum, together


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
        against = max(self.against / self.against_needed, 0)
        for_ = max(self.for_ / self.for_needed, 0)
        return f"evidence against {100 * against:.0f} %, for {100 * for_:.0f} % of what it takes"


_NOTHING = Counts()

Gains = tuple[float, ...]
"""Log gain of each bet of one comparison, in the order of STEPS."""

NO_GAINS: Gains = (0.0,) * len(STEPS)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What has been weighed: counts up to here, and what each bet has gained by them.

    `since` is where the evidence for the candidate begins, `strict` the candidate's counts where it
    has another bound for that.

    Of latencies, `latencies` are what was weighed of either revision, `seconds` after the start,
    `gains_for` what the bets for the candidate have gained, and `bounds` what is slow and what is
    too slow from now on, None until it is known what the baseline takes. `enough` is from how many
    of its requests they follow it.
    """

    candidate: Counts = _NOTHING
    baseline: Counts = _NOTHING
    gains: tuple[Gains, ...] = field(default=(NO_GAINS,), repr=False)
    since: tuple[Counts, Counts] = (_NOTHING, _NOTHING)
    bounds: tuple[float, float] | None = None
    strict: Counts = _NOTHING
    seconds: float = 0.0
    latencies: tuple[Histogram, Histogram] = field(default=(UNKNOWN, UNKNOWN), repr=False)
    gains_for: Gains = field(default=NO_GAINS, repr=False)
    enough: float = 0.0

    @property
    def against(self) -> float:
        """Log evidence against the candidate; every comparison has its equal part of the stakes."""
        return log_of_sum(map(together, self.gains)) - math.log(len(self.gains))

    def richer(self, *gained: Gains) -> "Weighed":
        """With what each bet of each comparison has gained since."""
        pairs = zip(self.gains, gained, strict=True)
        return replace(self, gains=tuple(tuple(map(add, had, got)) for had, got in pairs))

    def room_for(self, stall: float, seconds: float, *, last: bool) -> float:
        """How many stalls fit in since what was weighed last; 0 where it is too early."""
        since = (seconds - self.seconds) / stall if stall else math.inf
        return since if since >= 1 or last else 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """Counts since the start, the evidence in them, and the outcome; a failure stays one."""

    candidate: Counts
    baseline: Counts
    evidence: Evidence
    outcome: Outcome = Outcome.NO_DATA
    weighed: Weighed = field(default=Weighed(), repr=False)

    @property
    def requests(self) -> int:
        """Of both revisions."""
        return self.candidate.total + self.baseline.total

    def sentence(self, bad: str = "failed") -> str:
        """The verdict as people say it; `bad` is what bad requests did."""
        counted = f"{self.candidate} candidate requests {bad}, {self.baseline} baseline requests"
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


def begin(alpha: float, beta: float) -> Result:
    """Before anything was counted.

    Raises:
        ValueError: a chance is not between 0 and 1.
    """
    for name, chance in (("alpha", alpha), ("missed", beta)):
        if not 0 < chance < 1:
            raise ValueError(f"got {name} {chance}, needs to be between 0 and 1")
    return Result(_NOTHING, _NOTHING, Evidence(0.0, 0.0, -math.log(alpha), -math.log(beta)))


def renewed(before: Result, weighed: Weighed) -> Result:
    """Evidence for the candidate begins anew, as `weighed` has it; a failure stays one.

    Where it was proven worse, but tolerably so, evidence against it begins anew, too. Alpha stays
    what it is: nothing begins anew without that proof, and an equal candidate has it as seldom.
    """
    worse = before.evidence.against >= before.evidence.against_needed
    weighed = replace(weighed, gains=(NO_GAINS,) * len(weighed.gains)) if worse else weighed
    outcome = Outcome.FAIL if before.outcome is Outcome.FAIL else Outcome.INCONCLUSIVE
    evidence = replace(before.evidence, for_=0.0, against=0.0 if worse else before.evidence.against)
    return replace(before, weighed=weighed, outcome=outcome, evidence=evidence)


def compared(
    before: Result, candidate: Counts, baseline: Counts, for_: float, weighed: Weighed
) -> Result:
    """The next look, where evidence `for_` the candidate and what each bet has gained are known."""
    evidence = replace(before.evidence, against=weighed.against, for_=for_)
    some = candidate.total and baseline.total
    outcome = decided(before.outcome, evidence) if some else Outcome.NO_DATA
    return Result(candidate, baseline, evidence, outcome, weighed)


def decided(before: Outcome, evidence: Evidence) -> Outcome:
    """Where evidence leads. A worsening proven to be under the tolerated size is none.

    A failure stays one; a pass stays one until the candidate is proven worse.
    """
    if before is Outcome.FAIL:
        return Outcome.FAIL
    if evidence.for_ >= evidence.for_needed:
        return Outcome.PASS
    if evidence.against >= evidence.against_needed:
        return Outcome.FAIL
    return Outcome.PASS if before is Outcome.PASS else Outcome.INCONCLUSIVE
