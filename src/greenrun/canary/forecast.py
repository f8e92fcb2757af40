"""The forecast of a canary: what each step can detect, and when a healthy candidate passes."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from greenrun.model.canary_step import CountedBy
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import REHEARSAL, CanaryPlan, Plan, Underpowered
from greenrun.model.service import Service
from greenrun.model.stats import UNKNOWN, Counts, Histogram, Sample, SequentialTest
from greenrun.model.stats.power import (
    NINE_IN_TEN,
    requests_to_pass,
    smallest_detectable,
    time_to_detect,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)

LONGEST = timedelta(days=1)
"""To which a step is lengthened at most."""

_FEWEST_LATENCIES = 500
"""The p99 of fewer requests rests on a handful, as after the last release: it predicts nothing."""

SOON = timedelta(minutes=1)
"""In which a step of a rehearsal is decided, beside what the platform is late: somebody waits."""

_PROBE_RATES = (1, 2, 4, 6, 10, 15, 20, 30, 40, 60, 100, 150, 200, 300, 400, 600, 1000)


@dataclass(frozen=True, slots=True)
class UserTraffic:
    """Requests of users: `per_second` by now, `sample` over the time `over`."""

    per_second: float = 0.0
    sample: Sample = field(default=Sample(Counts()), repr=False)
    over: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class ExpectedCounts:
    """What a metric source will count of two healthy revisions: requests per second of both.

    `share` is the candidate's of them, `rate` that of the errors (both 0 to 1). `latencies` are
    empty where they are not known. What happens is known `lag` later.
    """

    counted_by: CountedBy
    per_second: float
    share: float
    rate: float = 0.0
    latencies: Histogram = field(default=UNKNOWN, repr=False)
    lag: timedelta = timedelta()

    def time_until(self, requests: float) -> timedelta:
        """Return how long so many requests take to come and be known; timedelta.max is never."""
        if requests * 1e-9 > self.per_second:
            return timedelta.max
        return self.lag + timedelta(seconds=requests / self.per_second)

    def __str__(self) -> str:
        return f"{self.per_second:,.3g} requests/s, {percent(self.rate)} errors"


@dataclass(frozen=True, slots=True)
class Power:
    """What one metric source can detect at one step, whose `share` is in percent.

    `passes` is how long half of all healthy candidates need, and `slowest` the part that they wait
    for; `known` is False where that also rests on latencies that nobody knows yet. `worse` is the
    error rate that does not pass any more, `alpha` the errors' part of it.
    """

    share: int
    expected: ExpectedCounts
    passes: timedelta
    slowest: str
    known: bool
    worse: float
    alpha: float

    @property
    def passes_nine_in_ten(self) -> timedelta:
        """The time that 9 of 10 healthy candidates need at most."""
        if self.passes == timedelta.max:
            return timedelta.max
        return self.expected.lag + NINE_IN_TEN * (self.passes - self.expected.lag)

    @property
    def detects(self) -> timedelta:
        """The time that it takes on average to fail a candidate with the error rate `worse`."""
        expected = self.expected
        found = time_to_detect(
            expected.per_second, expected.share, expected.rate, self.worse, self.alpha
        )
        return found if found == timedelta.max else found + expected.lag

    def smallest_within(self, time: timedelta) -> float | None:
        """Return the lowest error rate that is detected within that time; None where none is."""
        expected, left = self.expected, max(time - self.expected.lag, timedelta())
        return smallest_detectable(
            expected.per_second, expected.share, expected.rate, left, self.alpha
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a canary as planned, judged by `test`, can detect in that traffic.

    `lag` is how late the platform tells of it.
    """

    plan: CanaryPlan
    test: SequentialTest
    traffic: UserTraffic = UserTraffic()
    lag: timedelta = timedelta()

    def at(self, share: int) -> tuple[Power, ...]:
        """Return the power of each metric source at a step."""
        return tuple(self._power(share, expected) for expected in self._expected(share))

    def passes(self, share: int) -> timedelta:
        """Return how long half of all healthy candidates need to pass by every metric source."""
        return max(power.passes for power in self.at(share))

    def passes_nine_in_ten(self, share: int) -> timedelta:
        """Return how long 9 of 10 need at most."""
        return max(power.passes_nine_in_ten for power in self.at(share))

    def max_duration(self, share: int) -> timedelta:
        """Return how long a step may take: as planned, or lengthened to what 9 of 10 need."""
        planned, needed = self.plan.max_duration, self.passes_nine_in_ten(share)
        if self.plan.underpowered is Underpowered.REFUSED or needed > LONGEST:
            return planned
        return max(planned, _rounded(needed))

    def plan_at(self, share: int) -> CanaryPlan:
        """Return the plan of a step, with the time that it may take."""
        return replace(self.plan, max_duration=self.max_duration(share))

    def is_underpowered(self, share: int) -> bool:
        """Return True where a step could only end undecided."""
        return self.passes(share) > self.max_duration(share)

    def underpowered_steps(self) -> Iterator[Power]:
        """Yield, for each step that could only end undecided, the source that needs the longest."""
        for share in self.plan.steps:
            if self.is_underpowered(share):
                yield max(self.at(share), key=lambda power: power.passes)

    def sufficient_probes(self, share: int) -> int | None:
        """Return the probes per second by which a step has enough power within its time, if any."""
        for number in _PROBE_RATES:
            more = number > (self.plan.probes_per_second or 0)
            if more and self.probed_at(number).passes(share) <= self.plan.max_duration:
                return number
        return None

    def probed_at(self, per_second: float) -> "Forecast":
        """Return the same with so many probes."""
        return replace(self, plan=replace(self.plan, probes_per_second=float(per_second)))

    def with_rate_found(self) -> "Forecast":
        """Return the same with a rate of probes, where a rehearsal has to find one by itself.

        The lowest by which 9 of 10 healthy candidates pass each step soon; where there is none,
        the lowest by which half of them pass in the time that a step may take.
        """
        if not self.plan.is_probed or self.plan.probes_per_second is not None:
            return self
        soon = min(SOON + self.lag, self.plan.max_duration)
        for number in _PROBE_RATES:
            found = self.probed_at(number)
            if all(found.passes_nine_in_ten(share) <= soon for share in self.plan.steps):
                return found
        needed = [self.sufficient_probes(share) or _PROBE_RATES[0] for share in self.plan.steps]
        return self.probed_at(max(needed))

    def _expected(self, share: int) -> Iterator[ExpectedCounts]:
        probes, users = self.plan.probes_per_second or 0.0, self.traffic.per_second
        if probes:
            yield ExpectedCounts(CountedBy.PROBES, probes, self.plan.probed_share(share))
        both = probes + users
        sample = self.traffic.sample
        latencies = sample.latencies if sample.latencies.total >= _FEWEST_LATENCIES else UNKNOWN
        yield ExpectedCounts(
            CountedBy.PLATFORM,
            both,
            (probes * self.plan.probed_share(share) + users * share / 100) / both
            if both
            else share / 100,
            sample.counts.rate * users / both if both else 0.0,
            latencies,
            self.lag,
        )

    def _power(self, share: int, expected: ExpectedCounts) -> Power:
        slowest, requests = self._slowest(expected)
        return Power(
            share,
            expected,
            passes=expected.time_until(requests),
            slowest=slowest,
            known=bool(expected.latencies.total) or not self._asks_for_latencies,
            worse=min(expected.rate + self.test.max_error_increase, 1.0),
            alpha=self._alpha(expected.counted_by),
        )

    def _slowest(self, expected: ExpectedCounts) -> tuple[str, float]:
        """Return the part that needs the most requests for a pass, and how many."""
        needed = {
            part.name: requests_to_pass(part, expected.share, expected.rate, expected.latencies)
            for part in self.test.parts
        }
        return max(needed.items(), key=lambda item: item[1])

    @property
    def _asks_for_latencies(self) -> bool:
        return bool(self.test.quantiles or self.test.latency_limits)

    def _alpha(self, counted_by: CountedBy) -> float:
        """Return that of the errors: half of it is for single probes where there are several."""
        several = counted_by is CountedBy.PROBES and len(self.plan.probes) > 1
        errors = self.test.parts[0].test.alpha
        return errors / 2 if several else errors


def _rounded(duration: timedelta) -> timedelta:
    """Round up to whole seconds, and from ten minutes on to whole minutes."""
    unit = timedelta(minutes=1) if duration > timedelta(minutes=10) else timedelta(seconds=1)
    return -(-duration // unit) * unit


def percent(share: float) -> str:
    """Write a share (0 to 1) in percent."""
    return f"{100 * share:.2g} %"


def forecast(
    plan: Plan, dependencies: Dependencies, service: Service, baseline: str, test: SequentialTest
) -> Forecast:
    """Read the live traffic, and change nothing. A rehearsal has none: there, only probes count.

    `test` judges each metric source. Raises CallFailed where the metrics cannot be read.
    """
    metrics, live = dependencies.metrics, plan.environment != REHEARSAL
    found = _user_traffic(dependencies, service, baseline) if live else UserTraffic()
    return Forecast(plan.canary, test, found, metrics.lag).with_rate_found()


def _user_traffic(dependencies: Dependencies, service: Service, baseline: str) -> UserTraffic:
    """Read the last day, or the time since the baseline serves as it does.

    The canary comes within the hour: where that was quieter than the day, it counts.
    """
    now = dependencies.clock.now()
    since = max(now - DAY, _changed(service) or now - DAY)
    over = now - since
    sample = dependencies.metrics.sample(baseline, since)
    if over <= HOUR:
        return UserTraffic(_rate(sample.counts.total, over), sample, over)
    lately = dependencies.metrics.sample(baseline, now - HOUR).counts.total
    return UserTraffic(min(_rate(sample.counts.total, over), _rate(lately, HOUR)), sample, over)


def _changed(service: Service) -> datetime | None:
    return datetime.fromisoformat(service.changed_at) if service.changed_at else None


def _rate(requests: int, over: timedelta) -> float:
    return requests / over.total_seconds() if over > timedelta() else 0.0
