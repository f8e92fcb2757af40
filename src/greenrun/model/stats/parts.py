"""What a canary can be judged by, all looked at in the same way."""

from dataclasses import dataclass, replace

from greenrun.model.histogram import UNKNOWN, Histogram
from greenrun.model.stats.buckets import bound_from, bound_up_to, over
from greenrun.model.stats.comparison import Sequential
from greenrun.model.stats.counts import Counts
from greenrun.model.stats.latency import Quantile
from greenrun.model.stats.look import Result, Weighed
from greenrun.model.stats.objective import Objective


@dataclass(frozen=True, slots=True)
class Sample:
    """What one revision has answered in the seconds since the canary began.

    Its latencies are in milliseconds.
    """

    counts: Counts
    latencies: Histogram = UNKNOWN
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Errors:
    """More errors than the baseline?"""

    test: Sequential
    name: str = "errors"

    def begin(self, reference: Histogram) -> Result:  # noqa: ARG002 - errors need none
        return self.test.begin()

    def look(self, before: Result, candidate: Sample, baseline: Sample, *, last: bool) -> Result:
        return self.test.look(before, candidate.counts, baseline.counts, last=last)

    def next_step(self, before: Result) -> Result:
        return self.test.next_step(before)

    def sentence(self, look: Result) -> str:
        return look.sentence()


@dataclass(frozen=True, slots=True)
class ErrorLimit:
    """More errors than are allowed to anybody?"""

    test: Objective
    name: str = "error limit"

    def begin(self, reference: Histogram) -> Result:  # noqa: ARG002 - errors need none
        return self.test.begin()

    def look(
        self,
        before: Result,
        candidate: Sample,
        baseline: Sample,  # noqa: ARG002 - the limit is the candidate's own
        *,
        last: bool,  # noqa: ARG002 - every request is weighed at once
    ) -> Result:
        return self.test.look(before, candidate.counts)

    def next_step(self, before: Result) -> Result:
        return self.test.next_step(before)

    def sentence(self, look: Result) -> str:
        return self.test.sentence(look)


@dataclass(frozen=True, slots=True)
class Latencies:
    """Slower than the baseline?"""

    test: Quantile

    @property
    def name(self) -> str:
        return self.test.name

    def begin(self, reference: Histogram) -> Result:
        return self.test.begin(reference)

    def look(self, before: Result, candidate: Sample, baseline: Sample, *, last: bool) -> Result:
        one, other = candidate.latencies, baseline.latencies
        return self.test.look(before, one, other, candidate.seconds, last=last)

    def next_step(self, before: Result) -> Result:
        return self.test.next_step(before)

    def sentence(self, look: Result) -> str:
        return self.test.sentence(look)


@dataclass(frozen=True, slots=True)
class LatencyLimit:
    """More requests over a limit in milliseconds than are allowed to anybody?

    Where the limit lies within a bucket, what is in that is not held against the candidate, nor
    does it speak for it.
    """

    test: Objective
    milliseconds: float

    @property
    def name(self) -> str:
        return f"p{100 * (1 - self.test.limit):.4g} limit"

    def begin(self, reference: Histogram) -> Result:  # noqa: ARG002 - the limit is given
        limits = (self.milliseconds, self.milliseconds)
        return replace(self.test.begin(), weighed=Weighed(bounds=limits))

    def look(
        self,
        before: Result,
        candidate: Sample,
        baseline: Sample,  # noqa: ARG002 - the limit is the candidate's own
        *,
        last: bool,  # noqa: ARG002 - every request is weighed at once
    ) -> Result:
        values = candidate.latencies
        if not values.total:
            return before
        surely = over(values, bound_from(values, self.milliseconds))
        perhaps = over(values, bound_up_to(values, self.milliseconds))
        return self.test.look(before, surely, perhaps, candidate.seconds)

    def next_step(self, before: Result) -> Result:
        return self.test.next_step(before)

    def sentence(self, look: Result) -> str:
        return self.test.sentence(look, f"took over {self.milliseconds:.4g} ms")


Part = Errors | ErrorLimit | Latencies | LatencyLimit
"""One question that is asked of a candidate."""
