from datetime import UTC, datetime, timedelta

import httpx
import pytest

from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.monitoring.metrics import CloudMetrics
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.machine import SystemClock
from greenrun.model.interfaces import Timeout
from greenrun.model.plan import Location
from greenrun.model.stats import Counts, Sample
from greenrun.model.traffic import Target, TrafficSplit
from tests.adapters.cloud.candidates import reading, revision, until

NO_DATA = Sample(Counts())


@pytest.fixture
def metrics(clients: GoogleClients, place: Location) -> CloudMetrics:
    return CloudMetrics(clients, place, "web", SystemClock())


@pytest.fixture
def url(platform: CloudRun, timeout: Timeout) -> str:
    platform.create(revision("one"), timeout)
    platform.let_all_invoke()
    service = platform.service()
    assert service is not None
    return service.url


def counted(metrics: CloudMetrics, name: str, since: datetime, requests: int) -> Sample:
    """What was answered, once so many requests are in it: it lags behind."""

    def complete() -> Sample | None:
        found = metrics.sample(name, since)
        return found if found.counts.total == found.latencies.total == requests else None

    return until(complete)


def earlier() -> datetime:
    """The start of a period that holds all that comes now."""
    return datetime.now(UTC) - timedelta(seconds=2)


def test_no_requests_are_no_data(metrics: CloudMetrics, url: str) -> None:
    assert url
    assert metrics.sample("web-one", earlier()) == NO_DATA
    assert metrics.sample("web-nine", earlier()) == NO_DATA


def test_counts_are_those_of_the_requests(metrics: CloudMetrics, url: str) -> None:
    since = earlier()
    for path in ("/", "/status/404", "/status/503", "/slow/150"):
        httpx.get(url + path)
    found = counted(metrics, "web-one", since, 4)
    assert found.counts == Counts(3, 1)
    assert found.latencies.quantile(0.5) < 100 < found.latencies.quantile(0.99) < 400


def test_a_revision_is_judged_by_its_own_requests(
    metrics: CloudMetrics, platform: CloudRun, timeout: Timeout, url: str
) -> None:
    since = earlier()
    httpx.get(url + "/status/500")
    split = TrafficSplit((Target("web-one"), Target("web-two", 100)))
    platform.deploy(revision("two"), TrafficSplit(split.targets[1:]), reading(platform), timeout)
    httpx.get(url)
    assert counted(metrics, "web-two", since, 1).counts == Counts(1, 0)
    assert counted(metrics, "web-one", since, 1).counts == Counts(0, 1)


def test_what_was_before_does_not_count_nor_does_what_shares_a_period_with_it(
    metrics: CloudMetrics, url: str
) -> None:
    since = earlier()
    httpx.get(url)
    counted(metrics, "web-one", since, 1)
    httpx.get(url)
    later = datetime.now(UTC)
    until(lambda: datetime.now(UTC) > later + metrics.lag or None)
    assert metrics.sample("web-one", since).counts == Counts(2, 0)
    assert metrics.sample("web-one", later) == NO_DATA


def test_counts_never_fall_and_all_are_there_after_the_lag(metrics: CloudMetrics, url: str) -> None:
    since, seen = earlier(), [0]
    for _ in range(10):
        httpx.get(url)
        seen.append(metrics.sample("web-one", since).counts.total)
    last = datetime.now(UTC)
    until(lambda: datetime.now(UTC) > last + metrics.lag or None)
    assert seen == sorted(seen)
    assert metrics.sample("web-one", since).counts.total == 10
