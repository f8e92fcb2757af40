"""What a canary is able to see, before it starts: step by step, watcher by watcher."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from greenrun.model.canary_step import CountedBy
from greenrun.model.histogram import UNKNOWN, Histogram
from greenrun.model.plan import CanaryPlan, Underpowered
from greenrun.model.stats import Counts, Sample, SequentialTest, detectable, power
from greenrun.model.stats.passing import SURELY, requests_to_pass

LONGEST = timedelta(days=1)
"""To which a step is lengthened at most."""

_TELLING = 500
"""The p99 of fewer requests rests on a handful, as after the last release: it foretells nothing."""

_ENOUGH_PROBES = (1, 2, 4, 6, 10, 15, 20, 30, 40, 60, 100, 150, 200, 300, 400, 600, 1000)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What users ask of the service: `per_second` by now, `sample` over the time `over`."""

    per_second: float = 0.0
    sample: Sample = field(default=Sample(Counts()), repr=False)
    over: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Flow:
    """What a watcher counts of two healthy revisions: requests per second of both.

    `share` is the candidate's of them, `rate` that of the errors (both 0 to 1). `latencies` are
    empty where they are not known. What happens is told `lag` later.
    """

    counted_by: CountedBy
    per_second: float
    share: float
    rate: float = 0.0
    latencies: Histogram = field(default=UNKNOWN, repr=False)
    lag: timedelta = timedelta()

    def lasting(self, requests: float) -> timedelta:
        """How long so many requests take to come and to be told of; the longest time for never."""
        if requests * 1e-9 > self.per_second:
            return timedelta.max
        return self.lag + timedelta(seconds=requests / self.per_second)

    def __str__(self) -> str:
        return f"{self.per_second:,.3g} requests/s, {percent(self.rate)} errors"


@dataclass(frozen=True, slots=True)
class Power:
    """What one watcher can see at one step, whose `share` is in percent.

    `passes` is how long half of all healthy candidates need, and `slowest` the part that they wait
    for; `known` is False where that also rests on latencies that nobody knows yet. `worse` is the
    error rate that is not tolerated any more, `alpha` the errors' part of it.
    """

    share: int
    flow: Flow
    passes: timedelta
    slowest: str
    known: bool
    worse: float
    alpha: float

    @property
    def surely(self) -> timedelta:
        """How long 9 of 10 healthy candidates need at most."""
        if self.passes == timedelta.max:
            return timedelta.max
        return self.flow.lag + SURELY * (self.passes - self.flow.lag)

    @property
    def sees(self) -> timedelta:
        """How long it takes to find a candidate with the error rate `worse`."""
        flow = self.flow
        found = power(flow.per_second, flow.share, flow.rate, self.worse, self.alpha)
        return found if found == timedelta.max else found + flow.lag

    def least(self, within: timedelta) -> float | None:
        """The lowest error rate that is found within that time; None where none is."""
        flow, left = self.flow, max(within - self.flow.lag, timedelta())
        return detectable(flow.per_second, flow.share, flow.rate, left, self.alpha)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a canary as planned, judged by `trial`, can see of that traffic.

    `lag` is how late the platform tells of it.
    """

    plan: CanaryPlan
    trial: SequentialTest
    traffic: Traffic = Traffic()
    lag: timedelta = timedelta()

    def at(self, share: int) -> tuple[Power, ...]:
        """Of each watcher at a step."""
        return tuple(self._sight(share, flow) for flow in self._flows(share))

    def passes(self, share: int) -> timedelta:
        """How long half of all healthy candidates need to pass with every watcher."""
        return max(power.passes for power in self.at(share))

    def surely(self, share: int) -> timedelta:
        """How long 9 of 10 need at most."""
        return max(power.surely for power in self.at(share))

    def max_duration(self, share: int) -> timedelta:
        """How long a step may take: as planned, or lengthened to what it surely needs."""
        planned, surely = self.plan.max_duration, self.surely(share)
        if self.plan.underpowered is Underpowered.REFUSED or surely > LONGEST:
            return planned
        return max(planned, _rounded(surely))

    def plan_at(self, share: int) -> CanaryPlan:
        """The plan of a step, with the time that it may take."""
        return replace(self.plan, max_duration=self.max_duration(share))

    def is_blind(self, share: int) -> bool:
        """True where a step could only end undecided."""
        return self.passes(share) > self.max_duration(share)

    def underpowered(self) -> Iterator[Power]:
        """Of each step that could only end undecided, the watcher that needs the longest."""
        for share in self.plan.steps:
            if self.is_blind(share):
                yield max(self.at(share), key=lambda power: power.passes)

    def enough_probes(self, share: int) -> int | None:
        """The probes per second by which a step is not blind within its time, if any are."""
        for number in _ENOUGH_PROBES:
            if number > self.plan.probes_per_second:
                more = replace(self, plan=replace(self.plan, probes_per_second=float(number)))
                if more.passes(share) <= self.plan.max_duration:
                    return number
        return None

    def _flows(self, share: int) -> Iterator[Flow]:
        probes, users = self.plan.probes_per_second, self.traffic.per_second
        if probes:
            yield Flow(CountedBy.PROBES, probes, self.plan.probed_share(share))
        both = probes + users
        sample = self.traffic.sample
        latencies = sample.latencies if sample.latencies.total >= _TELLING else UNKNOWN
        yield Flow(
            CountedBy.PLATFORM,
            both,
            (probes * self.plan.probed_share(share) + users * share / 100) / both
            if both
            else share / 100,
            sample.counts.rate * users / both if both else 0.0,
            latencies,
            self.lag,
        )

    def _sight(self, share: int, flow: Flow) -> Power:
        slowest, requests = self._slowest(flow)
        return Power(
            share,
            flow,
            passes=flow.lasting(requests),
            slowest=slowest,
            known=bool(flow.latencies.total) or not self._asks_for_latencies,
            worse=min(flow.rate + self.trial.max_error_increase, 1.0),
            alpha=self._alpha(flow.counted_by),
        )

    def _slowest(self, flow: Flow) -> tuple[str, float]:
        """The part that needs the most requests for a pass, and how many."""
        needed = {
            part.name: requests_to_pass(part, flow.share, flow.rate, flow.latencies)
            for part in self.trial.parts
        }
        return max(needed.items(), key=lambda item: item[1])

    @property
    def _asks_for_latencies(self) -> bool:
        return bool(self.trial.quantiles or self.trial.latency_limits)

    def _alpha(self, counted_by: CountedBy) -> float:
        """That of the errors: half of it is for single paths where there are several."""
        several = counted_by is CountedBy.PROBES and len(set(self.plan.probe_paths)) > 1
        errors = self.trial.parts[0].test.alpha
        return errors / 2 if several else errors


def _rounded(duration: timedelta) -> timedelta:
    """Up to whole seconds, and from ten minutes on to whole minutes."""
    unit = timedelta(minutes=1) if duration > timedelta(minutes=10) else timedelta(seconds=1)
    return -(-duration // unit) * unit


def percent(share: float) -> str:
    """As people write a share."""
    return f"{100 * share:.2g} %"
