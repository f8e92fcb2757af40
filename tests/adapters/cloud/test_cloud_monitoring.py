from datetime import UTC, datetime, timedelta

import httpx
import pytest

from greenrun.adapters.clock import SystemClock
from greenrun.adapters.cloud_monitoring import CloudMetrics
from greenrun.adapters.cloud_run import CloudRun
from greenrun.adapters.google_clients import GoogleClients
from greenrun.domain.gate import Quantity
from greenrun.domain.plan import Place
from greenrun.domain.traffic import Target, TrafficSplit
from greenrun.ports import Patience
from tests.adapters.cloud.candidates import reading, revision, until

NO_DATA = {
    "requests": Quantity(0),
    "error rate": None,
    "p50 latency": None,
    "p95 latency": None,
    "p99 latency": None,
}


@pytest.fixture
def metrics(clients: GoogleClients, place: Place) -> CloudMetrics:
    return CloudMetrics(clients, place, "web", SystemClock())


@pytest.fixture
def url(platform: CloudRun, patience: Patience) -> str:
    platform.create(revision("one"), patience)
    platform.let_all_invoke()
    service = platform.service()
    assert service is not None
    return service.url


def counted(
    metrics: CloudMetrics, name: str, since: datetime, requests: int
) -> dict[str, Quantity | None]:
    """The figures, once that many requests are in them: they lag behind."""

    def complete() -> dict[str, Quantity | None] | None:
        figures = dict(metrics.of_revision(name, since))
        return figures if figures["requests"] == Quantity(requests) else None

    return until(complete)


def earlier() -> datetime:
    """The start of a period that holds all that comes now."""
    return datetime.now(UTC) - timedelta(seconds=2)


def test_no_requests_are_no_data(metrics: CloudMetrics, url: str) -> None:
    assert url
    assert dict(metrics.of_revision("web-one", earlier())) == NO_DATA
    assert dict(metrics.of_revision("web-nine", earlier())) == NO_DATA


def test_figures_are_those_of_the_requests(metrics: CloudMetrics, url: str) -> None:
    since = earlier()
    for path in ("/", "/status/404", "/status/503", "/slow/150"):
        httpx.get(url + path)
    figures = counted(metrics, "web-one", since, 4)
    assert figures["error rate"] == Quantity(25, "%")
    median, slowest = figures["p50 latency"], figures["p99 latency"]
    assert median is not None
    assert slowest is not None
    assert (median.unit, slowest.unit) == ("ms", "ms")
    assert median.value < 100 < slowest.value < 400


def test_a_revision_is_judged_by_its_own_requests(
    metrics: CloudMetrics, platform: CloudRun, patience: Patience, url: str
) -> None:
    since = earlier()
    httpx.get(url + "/status/500")
    split = TrafficSplit((Target("web-one"), Target("web-two", 100)))
    platform.deploy(revision("two"), TrafficSplit(split.targets[1:]), reading(platform), patience)
    httpx.get(url)
    assert counted(metrics, "web-two", since, 1)["error rate"] == Quantity(0, "%")
    assert counted(metrics, "web-one", since, 1)["error rate"] == Quantity(100, "%")


def test_what_was_before_does_not_count(metrics: CloudMetrics, url: str) -> None:
    since = earlier()
    httpx.get(url)
    counted(metrics, "web-one", since, 1)
    later = datetime.now(UTC)
    until(lambda: datetime.now(UTC) > later + timedelta(seconds=1.5) or None)
    assert dict(metrics.of_revision("web-one", later)) == NO_DATA
