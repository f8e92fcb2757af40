"""Memory of instances: looked at again and again, and told as time series."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from google.cloud.monitoring_v3.types import ListTimeSeriesRequest, TimeSeries

from cloudrun_emulator.apis.monitoring.measurements import MemorySample, MemoryWatch
from cloudrun_emulator.apis.monitoring.series import Monitoring
from cloudrun_emulator.core.interfaces import InstanceSpec, LogLine
from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.runtime.docker import used_bytes
from tests.emulator.answered import AnsweredIngress

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MEMORY = 'metric.type="run.googleapis.com/container/memory/utilizations"'
REVISION = {
    "type": "cloud_run_revision",
    "project_id": "p",
    "location": "l",
    "service_name": "web",
    "configuration_name": "web",
    "revision_name": "web-one",
}


@dataclass
class FullInstance:
    """It uses what it is told to."""

    used: int | None
    looks: int = field(default=0)
    address: tuple[str, int] = ("127.0.0.1", 1)

    def exit_code(self) -> int | None:
        return None

    def memory_bytes(self) -> int | None:
        self.looks += 1
        return self.used

    def lines(self) -> Sequence[LogLine]:
        return ()

    def stop(self, grace: timedelta = timedelta()) -> None:
        raise NotImplementedError(grace)


def spec(**resource: str) -> InstanceSpec:
    return InstanceSpec("one", "image", {**REVISION, **resource}, memory_bytes=1000)


def watched(*running: tuple[InstanceSpec, FullInstance]) -> Iterator[MemorySample]:
    """The samples of two rounds of looks, at least."""
    every = timedelta(milliseconds=5)
    with closing(MemoryWatch(lambda: running, every, lambda: NOON)) as watch:
        last = running[-1][1]
        wait_until(
            lambda: last.looks > 2, timedelta(seconds=10), "a third look at the last instance"
        )
        yield from watch.samples()


def series(*shares: float, revision: str = "web-one", **options: Any) -> list[TimeSeries]:  # noqa: ANN401 - fields of the request
    """Of instances that used these shares half a second after noon."""
    resource = {**REVISION, "revision_name": revision}
    at = NOON + timedelta(seconds=0.5)
    samples = [MemorySample(at, resource, share) for share in shares]
    later = NOON + timedelta(hours=1)
    monitoring = Monitoring(AnsweredIngress(()), memory=lambda: samples, clock=lambda: later)
    interval = {"start_time": NOON, "end_time": NOON + timedelta(seconds=60)}
    asked = {"name": "projects/p", "filter": MEMORY, "interval": interval, **options}
    return list(monitoring.list_time_series(ListTimeSeriesRequest(asked)).time_series)


def test_the_share_of_its_limit_is_kept_of_every_instance_of_a_revision() -> None:
    samples = list(watched((spec(), FullInstance(250)), (spec(), FullInstance(500))))
    assert {(sample.share, sample.time) for sample in samples} == {(0.25, NOON), (0.5, NOON)}
    assert samples[0].resource == REVISION


def test_what_nobody_measures_and_what_is_no_revision_give_nothing() -> None:
    task = spec(type="cloud_run_job")
    assert list(watched((task, FullInstance(1)), (spec(), FullInstance(None)))) == []


@dataclass
class MeetingInstance(FullInstance):
    """It answers the first time once another is asked, too."""

    both: Barrier = field(default_factory=lambda: Barrier(2, timeout=10))

    def memory_bytes(self) -> int | None:
        if not self.looks:
            self.both.wait()
        return FullInstance.memory_bytes(self)


def test_an_instance_that_takes_its_time_holds_up_no_other() -> None:
    both = Barrier(2, timeout=10)
    one, other = MeetingInstance(250, both=both), MeetingInstance(500, both=both)
    shares = {sample.share for sample in watched((spec(), one), (spec(), other))}
    assert shares == {0.25, 0.5}


def test_nobody_looks_once_it_is_closed() -> None:
    instance = FullInstance(1)
    watch = MemoryWatch(lambda: [(spec(), instance)], timedelta(milliseconds=5))
    wait_until(lambda: instance.looks, timedelta(seconds=10), "a look")
    watch.close()
    looks = instance.looks
    watch.close()
    assert instance.looks == looks


def test_shares_of_a_moment_are_one_distribution_by_revision() -> None:
    (one,) = series(0.25, 0.75)
    assert (one.unit, dict(one.resource.labels)["revision_name"]) == ("10^2.%", "web-one")
    (point,) = one.points
    told = point.value.distribution_value
    assert (told.count, told.mean) == (2, 0.5)
    ends = [place for place, count in enumerate(told.bucket_counts) if count]
    assert [(place - 1) / 100 for place in ends] == [0.25, 0.75]


def test_more_than_its_limit_is_in_the_last_bucket() -> None:
    (one,) = series(1.0)
    told = one.points[0].value.distribution_value
    assert told.bucket_counts[-1] == 1
    assert len(told.bucket_counts) == told.bucket_options.linear_buckets.num_finite_buckets + 2


def test_a_filter_selects_the_revision() -> None:
    text = f'{MEMORY} AND resource.labels.revision_name="web-two"'
    assert series(0.5, filter=text) == []
    assert len(series(0.5, revision="web-two", filter=text)) == 1


@pytest.mark.parametrize(
    ("statistics", "used"),
    [
        ({"memory_stats": {"usage": 900, "stats": {"total_inactive_file": 200}}}, 700),
        ({"memory_stats": {"usage": 900, "stats": {"inactive_file": 100}}}, 800),
        ({"memory_stats": {"usage": 900}}, 900),
        ({"memory_stats": {}}, None),
        ({}, None),
    ],
)
def test_cache_that_can_be_taken_back_is_not_in_use(
    statistics: dict[str, Any], used: int | None
) -> None:
    assert used_bytes(statistics) == used
