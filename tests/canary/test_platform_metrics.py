"""The platform's counts are of the same time for both, and never fall."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from greenrun.canary.sources.platform import PlatformMetrics
from greenrun.canary.sources.source import Measurement
from greenrun.model.stats import Counts, Sample
from tests.canary.sources import sample
from tests.fakes import FakeClock

BEGAN = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
LAG = timedelta(minutes=4)


@dataclass
class Series:
    """What is told of each revision, and for which times it was asked."""

    lag: timedelta = LAG
    told: dict[str, Sample] = field(default_factory=dict)
    asked: list[tuple[str, datetime, datetime | None]] = field(default_factory=list)

    def sample(self, revision: str, since: datetime, until: datetime | None = None) -> Sample:
        self.asked.append((revision, since, until))
        return self.told[revision]

    def highest(self, measure: str, revision: str, since: datetime, until: datetime) -> None:
        raise AssertionError(f"{measure} of {revision} from {since} to {until}")


def test_both_are_asked_for_the_same_time_of_which_all_is_told() -> None:
    series, clock = Series(told={"one": sample(5), "other": sample(7)}), FakeClock(BEGAN)
    counts = PlatformMetrics(series, clock, "one", "other")
    assert counts.read() == Measurement(Sample(Counts()), Sample(Counts()))
    clock.sleep(timedelta(minutes=5))
    assert counts.read() == Measurement(sample(5, seconds=60), sample(7, seconds=60))
    until = BEGAN + timedelta(minutes=1)
    assert series.asked == [("one", BEGAN, until), ("other", BEGAN, until)]


def test_what_has_fallen_is_left_out_until_it_has_caught_up() -> None:
    series, clock = Series(told={"one": sample(5, 2), "other": sample(7)}), FakeClock(BEGAN)
    counts = PlatformMetrics(series, clock, "one", "other")
    clock.sleep(LAG + timedelta(minutes=1))
    first = counts.read()
    for fallen in (sample(9, 1), sample(4, 2), sample(5, 2, milliseconds=900), Sample(Counts())):
        series.told |= {"one": fallen, "other": sample(8)}
        assert counts.read() == Measurement(first.candidate, sample(8, seconds=60))
    series.told["one"] = sample(6, 2)
    assert counts.read() == Measurement(sample(6, 2, seconds=60), sample(8, seconds=60))


def test_it_is_asked_some_times_within_its_lag() -> None:
    source = PlatformMetrics(Series(), FakeClock(), "one", "other")
    assert (source.lag, source.interval) == (LAG, timedelta(seconds=10))
