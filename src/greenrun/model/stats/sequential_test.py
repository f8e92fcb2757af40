"""The sequential test of a canary: all that it is judged by, which together keeps one alpha."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from greenrun.model.stats.comparisons import (
    STALL,
    ErrorRateComparison,
    QuantileComparison,
    RateLimit,
)
from greenrun.model.stats.result import WORST_FIRST, Outcome, Result, SequentialState
from greenrun.model.stats.samples import UNKNOWN, Histogram, Sample


@dataclass(frozen=True, slots=True)
class Errors:
    """More errors than the baseline has?"""

    test: ErrorRateComparison
    name: str = "errors"

    def start(self, reference: Histogram) -> Result:  # noqa: ARG002 - errors need none
        return self.test.start()

    def update(self, before: Result, candidate: Sample, baseline: Sample, *, last: bool) -> Result:
        return self.test.update(before, candidate.counts, baseline.counts, last=last)

    def next_step(self, before: Result) -> Result:
        return self.test.next_step(before)

    def sentence(self, result: Result) -> str:
        return result.sentence()


@dataclass(frozen=True, slots=True)
class ErrorLimit:
    """More errors than are allowed to anybody?"""

    test: RateLimit
    name: str = "error limit"

    def start(self, reference: Histogram) -> Result:  # noqa: ARG002 - errors need none
        return self.test.start()

    def update(
        self,
        before: Result,
        candidate: Sample,
        baseline: Sample,  # noqa: ARG002 - the limit is the candidate's own
        *,
        last: bool,  # noqa: ARG002 - every request is tested at once
    ) -> Result:
        return self.test.update(before, candidate.counts)

    def next_step(self, before: Result) -> Result:
        return self.test.next_step(before)

    def sentence(self, result: Result) -> str:
        return self.test.sentence(result)


@dataclass(frozen=True, slots=True)
class Latencies:
    """Slower than the baseline?"""

    test: QuantileComparison

    @property
    def name(self) -> str:
        return self.test.name

    def start(self, reference: Histogram) -> Result:
        return self.test.start(reference)

    def update(self, before: Result, candidate: Sample, baseline: Sample, *, last: bool) -> Result:
        one, other = candidate.latencies, baseline.latencies
        return self.test.update(before, one, other, candidate.seconds, last=last)

    def next_step(self, before: Result) -> Result:
        return self.test.next_step(before)

    def sentence(self, result: Result) -> str:
        return self.test.sentence(result)


@dataclass(frozen=True, slots=True)
class LatencyLimit:
    """More requests over a limit in milliseconds than are allowed to anybody?

    Where the limit lies within a bucket, what is in that counts neither against the candidate
    nor for it.
    """

    test: RateLimit
    milliseconds: float

    @property
    def name(self) -> str:
        return f"p{100 * (1 - self.test.limit):.4g} limit"

    def start(self, reference: Histogram) -> Result:  # noqa: ARG002 - the limit is given
        limits = (self.milliseconds, self.milliseconds)
        return replace(self.test.start(), state=SequentialState(bounds=limits))

    def update(
        self,
        before: Result,
        candidate: Sample,
        baseline: Sample,  # noqa: ARG002 - the limit is the candidate's own
        *,
        last: bool,  # noqa: ARG002 - every request is tested at once
    ) -> Result:
        values = candidate.latencies
        if not values.total:
            return before
        surely = values.split_at(values.bound_at_or_above(self.milliseconds))
        perhaps = values.split_at(values.bound_at_or_below(self.milliseconds))
        return self.test.update(before, surely, perhaps, candidate.seconds)

    def next_step(self, before: Result) -> Result:
        return self.test.next_step(before)

    def sentence(self, result: Result) -> str:
        return self.test.sentence(result, f"took over {self.milliseconds:.4g} ms")


Part = Errors | ErrorLimit | Latencies | LatencyLimit
"""One question that is asked of a candidate, all answered in the same way."""


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """Compares errors with the baseline's, and beside them whatever else is asked for.

    `alpha`: the chance that a candidate which is no worse in anything and keeps its limits is ever
    rolled back. Half of it is for the errors, the other half in equal parts for all the rest: the
    chance that any part errs is at most the sum of theirs (Boole). `beta`: the chance that a
    candidate passes which is too bad in anything; it needs no parts, as all have to pass.

    `max_error_increase`: a rise of the error share, 0.01 is 1 percentage point. `error_limit`: its
    absolute limit, None for none. `quantiles`: those of latency that are compared,
    `max_latency_increase` by how much they may rise (0.25 is a quarter). `latency_limits`: absolute
    ones in milliseconds, by quantile. `stall`: the seconds in which slow requests of one revision
    count as one.
    """

    alpha: float = 0.01
    beta: float = 0.05
    max_error_increase: float = 0.01
    error_limit: float | None = 0.05
    quantiles: tuple[float, ...] = ()
    max_latency_increase: float = 0.25
    latency_limits: tuple[tuple[float, float], ...] = ()
    stall: float = STALL

    def start(self, reference: Histogram = UNKNOWN) -> "Results":
        """Return the results before anything was counted.

        `reference`: the baseline's latencies of earlier times.
        """
        return Results({part.name: part.start(reference) for part in self.parts})

    def update(
        self, before: "Results", candidate: Sample, baseline: Sample, *, last: bool = False
    ) -> "Results":
        """Test what was counted since the canary began; `last` also tests what is left over.

        Raises:
            ValueError: a count has fallen since `before`.
        """
        had = before.by_part
        return Results(
            {
                part.name: part.update(had[part.name], candidate, baseline, last=last)
                for part in self.parts
            }
        )

    def next_step(self, before: "Results") -> "Results":
        """Start evidence for the candidate anew; that against it is kept over all steps."""
        return Results(
            {part.name: part.next_step(before.by_part[part.name]) for part in self.parts}
        )

    def sentence(self, results: "Results") -> str:
        """Return the verdict of the decisive part, in words."""
        name = results.decisive
        part = next(part for part in self.parts if part.name == name)
        sentence = part.sentence(results.by_part[name])
        return sentence if name == "errors" else f"{name}: {sentence}"

    @property
    def parts(self) -> tuple[Part, ...]:
        """Errors first."""
        limits = () if self.error_limit is None else (self.error_limit,)
        others = len(limits) + len(self.quantiles) + len(self.latency_limits)
        alpha = self.alpha / 2 / others if others else self.alpha
        errors = ErrorRateComparison(
            self.alpha / 2 if others else self.alpha, self.max_error_increase, self.beta
        )
        limit_test = partial(RateLimit, alpha=alpha, beta=self.beta)
        return (
            Errors(errors),
            *(ErrorLimit(limit_test(limit)) for limit in limits),
            *(
                Latencies(
                    QuantileComparison(
                        share, self.max_latency_increase, alpha, self.beta, self.stall
                    )
                )
                for share in self.quantiles
            ),
            *(
                LatencyLimit(limit_test(1 - share, stall=self.stall), milliseconds)
                for share, milliseconds in self.latency_limits
            ),
        )


@dataclass(frozen=True, slots=True)
class Results:
    """The result of each part, by its name."""

    by_part: Mapping[str, Result]

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of all parts: a pass needs every one."""
        return self.by_part[self.decisive].outcome

    @property
    def decisive(self) -> str:
        """The first part with the worst outcome."""
        return min(self.by_part, key=lambda name: WORST_FIRST.index(self.by_part[name].outcome))
