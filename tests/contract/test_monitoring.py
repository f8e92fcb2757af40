"""Monitoring, by its official client: requests and latencies by revision."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import grpc
import httpx
import pytest
from google.cloud.monitoring_v3 import MetricServiceClient
from google.cloud.monitoring_v3.services.metric_service.transports import (
    MetricServiceGrpcTransport,
)
from google.cloud.monitoring_v3.types import TimeSeries

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.emulator import LocalCloud
from tests.contract.caller import Caller, pinned

SOON = timedelta(seconds=10)

Read = Callable[[str], list[TimeSeries]]


@pytest.fixture
def transport() -> str:
    return "grpc"


@pytest.fixture
def client(cloud: LocalCloud) -> Iterator[MetricServiceClient]:
    channel = grpc.insecure_channel(cloud.grpc)
    with MetricServiceClient(transport=MetricServiceGrpcTransport(channel=channel)) as client:
        yield client


@pytest.fixture
def read(client: MetricServiceClient, caller: Caller) -> Read:
    """The series of a metric of the caller's service, over the last minute."""

    def read(metric: str) -> list[TimeSeries]:
        now = datetime.now(UTC)
        request = {
            "name": "/".join(caller.parent.split("/")[:2]),
            "filter": f'metric.type="run.googleapis.com/{metric}" AND '
            f'resource.labels.service_name="{caller.service_id}"',
            "interval": {"start_time": now - timedelta(minutes=1), "end_time": now},
        }
        return list(client.list_time_series(request))

    return read


def counted(series: list[TimeSeries]) -> dict[tuple[str, str], int]:
    """Requests by revision and class of the response."""
    return {
        (one.resource.labels["revision_name"], one.metric.labels["response_code_class"]): sum(
            point.value.int64_value for point in one.points
        )
        for one in series
    }


def test_requests_are_counted_by_revision_and_class(caller: Caller, read: Read) -> None:
    caller.create(revision="one", invoker_iam_disabled=True)
    caller.update("template", template=caller.template(revision="two"))
    one, two = (f"{caller.service_id}-{name}" for name in ("one", "two"))
    service = caller.route(pinned(one, 100), pinned(two, 0, tag="candidate"))
    (candidate,) = (status.uri for status in service.traffic_statuses if status.tag)
    for url in (service.uri, service.uri, f"{service.uri}/status/503", candidate):
        httpx.get(url)
    expected = {(one, "2xx"): 2, (one, "5xx"): 1, (two, "2xx"): 1}
    wait_until(lambda: counted(read("request_count")) == expected, SOON, f"counts of {expected}")


def test_latencies_are_a_distribution_in_milliseconds(caller: Caller, read: Read) -> None:
    uri = caller.create(invoker_iam_disabled=True).uri
    elapsed = httpx.get(uri).elapsed
    (series,) = wait_until(lambda: read("request_latencies"), SOON, "a latency")
    distribution = series.points[0].value.distribution_value
    assert series.unit == "ms"
    assert distribution.count == 1
    assert 0 < distribution.mean <= elapsed / timedelta(milliseconds=1)
    assert sum(distribution.bucket_counts) == 1
