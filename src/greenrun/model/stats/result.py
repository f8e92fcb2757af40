"""What a sequential test says after an observation, and what it remembers for the next one."""

import math
from dataclasses import dataclass, field, replace
from enum import Enum
from operator import add

from greenrun.model.objective import Verdict
from greenrun.model.stats.bets import NO_GAINS, Gains, log_mixture, log_of_sum
from greenrun.model.stats.samples import UNKNOWN, Counts, Histogram


class Outcome(Enum):
    """Where the evidence leads. No data is an outcome of its own, and never a pass."""

    PASS = "pass"  # noqa: S105 - an outcome, no password
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no data"
    FAIL = "fail"

    @property
    def verdict(self) -> Verdict:
        """As gates know it."""
        return Verdict.INCONCLUSIVE if self is Outcome.NO_DATA else Verdict(self.value)


WORST_FIRST = (Outcome.FAIL, Outcome.NO_DATA, Outcome.INCONCLUSIVE, Outcome.PASS)


@dataclass(frozen=True, slots=True)
class LogEvidence:
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


_NO_COUNTS = Counts()


@dataclass(frozen=True, slots=True)
class SequentialState:
    """What has been tested: counts up to here, and what each bet has gained by them.

    `since` is where the evidence for the candidate begins, `strict` the candidate's counts where it
    has another bound for that.

    Of latencies, `latencies` are those of either revision that were tested, `seconds` after the
    start, `gains_for` what the bets for the candidate have gained, and `bounds` what is slow and
    what is too slow from now on, None until it is known what the baseline takes. From `enough` of
    its requests on, they follow the baseline.
    """

    candidate: Counts = _NO_COUNTS
    baseline: Counts = _NO_COUNTS
    gains: tuple[Gains, ...] = field(default=(NO_GAINS,), repr=False)
    since: tuple[Counts, Counts] = (_NO_COUNTS, _NO_COUNTS)
    bounds: tuple[float, float] | None = None
    strict: Counts = _NO_COUNTS
    seconds: float = 0.0
    latencies: tuple[Histogram, Histogram] = field(default=(UNKNOWN, UNKNOWN), repr=False)
    gains_for: Gains = field(default=NO_GAINS, repr=False)
    enough: float = 0.0

    @property
    def against(self) -> float:
        """Log evidence against the candidate; each comparison has an equal part of the stakes."""
        return log_of_sum(map(log_mixture, self.gains)) - math.log(len(self.gains))

    def with_gains(self, *gained: Gains) -> "SequentialState":
        """Add what each bet of each comparison has gained since."""
        pairs = zip(self.gains, gained, strict=True)
        return replace(self, gains=tuple(tuple(map(add, had, got)) for had, got in pairs))

    def stalls_since(self, stall: float, seconds: float, *, last: bool) -> float:
        """Return how many stalls fit in since what was tested last; 0 where it is too early."""
        since = (seconds - self.seconds) / stall if stall else math.inf
        return since if since >= 1 or last else 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """Counts since the start, the evidence in them, and the outcome; a failure stays one."""

    candidate: Counts
    baseline: Counts
    evidence: LogEvidence
    outcome: Outcome = Outcome.NO_DATA
    state: SequentialState = field(default=SequentialState(), repr=False)

    @property
    def requests(self) -> int:
        """Of both revisions."""
        return self.candidate.total + self.baseline.total

    def sentence(self, bad: str = "failed") -> str:
        """Return the verdict in words; `bad` is the verb for what bad requests did."""
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


def initial_result(alpha: float, beta: float) -> Result:
    """Return the result before anything was counted.

    Raises:
        ValueError: a chance is not between 0 and 1.
    """
    for name, chance in (("alpha", alpha), ("beta", beta)):
        if not 0 < chance < 1:
            raise ValueError(f"got {name} {chance}, needs to be between 0 and 1")
    evidence = LogEvidence(0.0, 0.0, -math.log(alpha), -math.log(beta))
    return Result(_NO_COUNTS, _NO_COUNTS, evidence)


def result_at_next_step(before: Result, state: SequentialState) -> Result:
    """Start evidence for the candidate anew, as `state` has it; a failure stays one.

    Where it was proven worse, but by less than the largest increase allowed, evidence against it
    starts anew, too. Alpha stays what it is: nothing starts anew without that proof, and an equal
    candidate has it as seldom.
    """
    worse = before.evidence.against >= before.evidence.against_needed
    state = replace(state, gains=(NO_GAINS,) * len(state.gains)) if worse else state
    outcome = Outcome.FAIL if before.outcome is Outcome.FAIL else Outcome.INCONCLUSIVE
    evidence = replace(before.evidence, for_=0.0, against=0.0 if worse else before.evidence.against)
    return replace(before, state=state, outcome=outcome, evidence=evidence)


def result_of_comparison(
    before: Result, candidate: Counts, baseline: Counts, for_: float, state: SequentialState
) -> Result:
    """Return the next result from evidence `for_` the candidate and what the bets have gained."""
    evidence = replace(before.evidence, against=state.against, for_=for_)
    some = candidate.total and baseline.total
    outcome = next_outcome(before.outcome, evidence) if some else Outcome.NO_DATA
    return Result(candidate, baseline, evidence, outcome, state)


def next_outcome(before: Outcome, evidence: LogEvidence) -> Outcome:
    """Return where evidence leads. An increase proven to be under the largest allowed is none.

    A failure stays one; a pass stays one until the candidate is proven worse.
    """
    if before is Outcome.FAIL:
        return Outcome.FAIL
    if evidence.for_ >= evidence.for_needed:
        return Outcome.PASS
    if evidence.against >= evidence.against_needed:
        return Outcome.FAIL
    return Outcome.PASS if before is Outcome.PASS else Outcome.INCONCLUSIVE
