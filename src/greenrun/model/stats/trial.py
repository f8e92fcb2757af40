"""All that a canary is judged by, which together keeps one alpha."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from greenrun.model.histogram import UNKNOWN, Histogram
from greenrun.model.stats.comparison import Sequential
from greenrun.model.stats.latency import STALL, Quantile
from greenrun.model.stats.look import Outcome, Result
from greenrun.model.stats.objective import Objective
from greenrun.model.stats.parts import ErrorLimit, Errors, Latencies, LatencyLimit, Part, Sample

_WORST_FIRST = (Outcome.FAIL, Outcome.NO_DATA, Outcome.INCONCLUSIVE, Outcome.PASS)


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """Errors against the baseline's, and beside them whatever else is asked for.

    `alpha`: the chance that a candidate which is no worse in anything and keeps its limits is ever
    rolled back. Half of it is for the errors, the other half in equal parts for all the rest: the
    chance that any part errs is at most the sum of theirs (Boole). `beta`: the chance that a
    candidate passes which is too bad in anything; it needs no parts, as all have to pass.

    `max_error_increase`: a rise of the error share, 0.01 is 1 percentage point. `error_limit`: its
    absolute limit, None for none. `quantiles`: those of latency that are compared,
    `max_latency_increase` by how much they may rise (0.25 is a quarter). `latency_limits`: absolute
    ones in milliseconds, by quantile. `stall`: the seconds in which slow requests of one revision
    weigh as one.
    """

    alpha: float = 0.01
    beta: float = 0.05
    max_error_increase: float = 0.01
    error_limit: float | None = 0.05
    quantiles: tuple[float, ...] = ()
    max_latency_increase: float = 0.25
    latency_limits: tuple[tuple[float, float], ...] = ()
    stall: float = STALL

    def begin(self, reference: Histogram = UNKNOWN) -> "Results":
        """Before anything was counted; `reference`: the baseline's latencies of earlier times."""
        return Results({part.name: part.begin(reference) for part in self.parts})

    def look(
        self, before: "Results", candidate: Sample, baseline: Sample, *, last: bool = False
    ) -> "Results":
        """Weigh what was counted since the canary began; `last` also weighs what is left over.

        Raises:
            ValueError: a count has fallen since `before`.
        """
        looks = before.looks
        return Results(
            {
                part.name: part.look(looks[part.name], candidate, baseline, last=last)
                for part in self.parts
            }
        )

    def next_step(self, before: "Results") -> "Results":
        """Ask anew for evidence for the candidate; that against it is kept over all steps."""
        return Results({part.name: part.next_step(before.looks[part.name]) for part in self.parts})

    def sentence(self, results: "Results") -> str:
        """The part that decided, as people say it."""
        name = results.decisive
        part = next(part for part in self.parts if part.name == name)
        told = part.sentence(results.looks[name])
        return told if name == "errors" else f"{name}: {told}"

    @property
    def parts(self) -> tuple[Part, ...]:
        """Errors first."""
        limits = () if self.error_limit is None else (self.error_limit,)
        others = len(limits) + len(self.quantiles) + len(self.latency_limits)
        alpha = self.alpha / 2 / others if others else self.alpha
        errors = Sequential(
            self.alpha / 2 if others else self.alpha, self.max_error_increase, self.beta
        )
        objective = partial(Objective, alpha=alpha, beta=self.beta)
        return (
            Errors(errors),
            *(ErrorLimit(objective(limit)) for limit in limits),
            *(
                Latencies(Quantile(share, self.max_latency_increase, alpha, self.beta, self.stall))
                for share in self.quantiles
            ),
            *(
                LatencyLimit(objective(1 - share, stall=self.stall), milliseconds)
                for share, milliseconds in self.latency_limits
            ),
        )


@dataclass(frozen=True, slots=True)
class Results:
    """A look at each part, by its name."""

    looks: Mapping[str, Result]

    @property
    def outcome(self) -> Outcome:
        """The worst of all parts: a pass needs every one."""
        return self.looks[self.decisive].outcome

    @property
    def decisive(self) -> str:
        """The first part with the worst outcome."""
        return min(self.looks, key=lambda name: _WORST_FIRST.index(self.looks[name].outcome))
