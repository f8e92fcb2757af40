"""Canaries as the engine would have analysed them: streams of requests, judged by real tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from greenrun.model.canary_step import CanaryStep, CountedBy, Observation
from greenrun.model.stats import Counts, Histogram, Outcome, Results, Sample, SequentialTest

BEGAN = timedelta(hours=8)
BUCKETS = Histogram.exponential(66, 1.4, 1.0)
TEST = SequentialTest(
    alpha=0.005,
    quantiles=(0.5, 0.95, 0.99),
    latency_limits=((0.5, 300.0), (0.95, 800.0), (0.99, 2000.0)),
)


@dataclass
class Stream:
    """Requests of one revision: how many a second, how many of them fail, what half take."""

    rate: float
    errors: float
    milliseconds: float
    chance: Random
    good: int = 0
    bad: int = 0
    owed: float = 0.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._taken = [0] * (len(BUCKETS.bounds) + 1)

    def flow(self, seconds: float) -> None:
        """Let requests come for so long."""
        self.owed, self.seconds = self.owed + self.rate * seconds, self.seconds + seconds
        for _ in range(int(self.owed)):
            failed = self.chance.random() < self.errors
            self.bad, self.good = self.bad + failed, self.good + (not failed)
            took = self.milliseconds * self.chance.lognormvariate(0, 0.5)
            self._taken[sum(bound <= took for bound in BUCKETS.bounds)] += 1
        self.owed %= 1

    @property
    def sample(self) -> Sample:
        """What was counted by now."""
        latencies = Histogram(BUCKETS.bounds, tuple(self._taken))
        return Sample(Counts(self.good, self.bad), latencies, self.seconds)


@dataclass
class Canary:
    """Two metric sources of one candidate; the platform's tell every minute."""

    errors: float = 0.004
    max_latency_increase: float = 1.0
    users: float = 20.0
    probes: float = 40.0
    shares: tuple[int, ...] = (10, 50)
    max_seconds: int = 300
    interval: float = 1.0
    seed: int = 4

    def steps(self) -> tuple[CanaryStep, ...]:
        """Until one does not pass."""
        return tuple(self._steps())

    def _steps(self) -> Iterator[CanaryStep]:
        chance = Random(self.seed)
        mine = {
            one: Stream(0, self.errors, 80 * self.max_latency_increase, chance) for one in CountedBy
        }
        theirs = {one: Stream(0, 0.004, 80, chance) for one in CountedBy}
        results = {one: TEST.start() for one in CountedBy if self.probes or one.name != "PROBES"}
        now = BEGAN
        for share in self.shares:
            results = {one: TEST.next_step(each) for one, each in results.items()}
            began, observations = now, list[Observation]()
            mine[CountedBy.PROBES].rate = theirs[CountedBy.PROBES].rate = self.probes / 2
            mine[CountedBy.PLATFORM].rate = self.users * share / 100
            theirs[CountedBy.PLATFORM].rate = self.users - mine[CountedBy.PLATFORM].rate
            told = {one: (mine[one].sample, theirs[one].sample) for one in results}
            while (now - began).total_seconds() < self.max_seconds:
                now += timedelta(seconds=self.interval)
                for one in results:
                    mine[one].flow(self.interval)
                    theirs[one].flow(self.interval)
                    late = one is CountedBy.PLATFORM and round((now - BEGAN).total_seconds()) % 60
                    if not late:
                        told[one] = (mine[one].sample, theirs[one].sample)
                    results[one] = TEST.update(results[one], *told[one])
                    observations.append(Observation(now, one, *told[one], results[one]))
                if is_decided(results):
                    break
            outcome, sentence = verdict(results)
            yield CanaryStep(share, outcome, sentence, began, now, tuple(observations))
            if outcome is not Outcome.PASS:
                return


def is_decided(results: dict[CountedBy, Results]) -> bool:
    outcomes = {one.outcome for one in results.values()}
    return Outcome.FAIL in outcomes or outcomes == {Outcome.PASS}


def verdict(results: dict[CountedBy, Results]) -> tuple[Outcome, str]:
    """Return the worst outcome, the reason, and who counted."""
    worst = (Outcome.FAIL, Outcome.NO_DATA, Outcome.INCONCLUSIVE, Outcome.PASS)
    counted_by = min(results, key=lambda one: worst.index(results[one].outcome))
    told = TEST.sentence(results[counted_by])
    return results[counted_by].outcome, f"{told}, by {counted_by.value}"
