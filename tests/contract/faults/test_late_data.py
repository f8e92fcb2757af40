"""Metrics and logs that are late; their official clients speak gRPC alone."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.types import LogEntry
from google.cloud.monitoring_v3 import MetricServiceClient
from google.cloud.monitoring_v3.types import TimeSeries

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.faults.registry import Faults
from tests.contract.caller import Caller, connect, moment
from tests.contract.faults.asking import SOON

Counts = Callable[[], list[TimeSeries]]
Search = Callable[[], list[LogEntry]]


@pytest.fixture
def transport() -> str:
    return "grpc"


@pytest.fixture
def project(caller: Caller) -> str:
    return "/".join(caller.parent.split("/")[:2])


@pytest.fixture
def counts(cloud: LocalCloud, project: str) -> Iterator[Counts]:
    """The request counts of the last minute."""
    with connect(MetricServiceClient, cloud, "grpc") as client:

        def read() -> list[TimeSeries]:
            now = datetime.now(UTC)
            interval = {"start_time": now - timedelta(minutes=1), "end_time": now}
            wanted = 'metric.type="run.googleapis.com/request_count"'
            request = {"name": project, "filter": wanted, "interval": interval}
            return list(client.list_time_series(request))

        yield read


@pytest.fixture
def search(cloud: LocalCloud, project: str) -> Iterator[Search]:
    """Every log entry of the project."""
    with connect(LoggingServiceV2Client, cloud, "grpc") as client:
        yield lambda: list(client.list_log_entries({"resource_names": [project]}))


def test_late_metrics_are_withheld(caller: Caller, faults: Faults, counts: Counts) -> None:
    httpx.get(caller.create(invoker_iam_disabled=True).uri)
    seen = wait_until(counts, SOON, "a request to be counted")
    with faults.add("metrics: late by 1h"):
        assert counts() == []
    assert counts() == seen


def test_late_metrics_come(caller: Caller, faults: Faults, counts: Counts) -> None:
    faults.add("metrics: late by 1s")
    httpx.get(caller.create(invoker_iam_disabled=True).uri)
    asked = datetime.now(UTC)
    (series,) = wait_until(counts, SOON, "a request to be counted")
    assert datetime.now(UTC) - asked > timedelta(seconds=1)
    assert series.points[0].value.int64_value == 1


def test_late_logs_are_withheld(caller: Caller, faults: Faults, search: Search) -> None:
    httpx.get(caller.create(invoker_iam_disabled=True).uri)
    seen = wait_until(search, SOON, "a request in the log")
    with faults.add("logs: late by 1h"):
        assert search() == []
    found = search()
    assert [entry for entry in seen if entry not in found] == []


def test_late_logs_come(caller: Caller, faults: Faults, search: Search) -> None:
    faults.add("logs: late by 1s")
    httpx.get(caller.create(invoker_iam_disabled=True).uri)
    entries = wait_until(search, SOON, "a request in the log")
    newest = max(moment(entry.timestamp) for entry in entries)
    assert datetime.now(UTC) - newest > timedelta(seconds=1)
