"""The calls that bring users back: a refusal that a second attempt would pass never ends them."""

from collections.abc import Iterator
from itertools import combinations_with_replacement, cycle, product

import pytest

from cloudrun_emulator.emulator import LocalCloud
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.logs import CloudLogs
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.model.errors import CallFailed
from greenrun.model.plan import Location
from greenrun.model.revision import Readiness
from greenrun.model.traffic import TrafficSplit
from tests.adapters.cloud.candidates import Watcher, reading, until
from tests.adapters.cloud.changes import ONE, TWO, WITHOUT_TRAFFIC, deployed

CODES = (
    "UNKNOWN",
    "CANCELLED",
    "INTERNAL",
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "ABORTED",
    "UNAUTHENTICATED",
    "FAILED_PRECONDITION",
    "NOT_FOUND",
)
CALLS = (
    "Services.GetService",
    "Services.UpdateService",
    "Revisions.GetRevision",
    "LoggingServiceV2.ListLogEntries",
)
SPLIT = WITHOUT_TRAFFIC.shared({ONE: 50, TWO: 50})
BACK = TrafficSplit.all_to(ONE)
AGENT = "greenrun/nobody"


@pytest.fixture
def split(platform: CloudRun, cloud: LocalCloud) -> Iterator[CloudRun]:
    """A service whose users are split between two revisions."""
    deployed(platform)
    platform.split_traffic(SPLIT, reading(platform), Watcher().timeout)
    yield platform
    cloud.faults.clear()


@pytest.fixture
def logs(clients: GoogleClients, place: Location) -> CloudLogs:
    return CloudLogs(clients, place, "web", str)


def goes(platform: CloudRun, logs: CloudLogs, split: TrafficSplit) -> None:
    """As a rollback does: whether the baseline is well, where it stands, the split, who answers."""
    baseline = platform.revision(ONE)
    assert baseline is not None
    assert baseline.readiness is Readiness.READY
    after = platform.split_traffic(split, reading(platform), Watcher(seconds=10).timeout)
    assert after.actual == split
    assert logs.answerers(AGENT) == []


def test_each_refusal_once_on_each_call_is_survived(
    split: CloudRun, logs: CloudLogs, cloud: LocalCloud
) -> None:
    for (call, code), there in zip(product(CALLS, CODES), cycle((BACK, SPLIT)), strict=False):
        with cloud.faults.add(f"{call}: {code}, once") as fault:
            goes(split, logs, there)
        assert fault.struck == 1, f"{call}: {code}"


@pytest.mark.parametrize("calls", list(combinations_with_replacement(CALLS, 2)), ids="+".join)
def test_each_pair_of_refusals_is_survived(
    split: CloudRun, logs: CloudLogs, cloud: LocalCloud, calls: tuple[str, str]
) -> None:
    again = "the 2nd time" if calls[0] == calls[1] else "once"
    pairs = combinations_with_replacement(CODES, 2)
    for (first, second), there in zip(pairs, cycle((BACK, SPLIT)), strict=False):
        with (
            cloud.faults.add(f"{calls[0]}: {first}, once"),
            cloud.faults.add(f"{calls[1]}: {second}, {again}"),
        ):
            goes(split, logs, there)


def test_a_reading_of_an_operation_is_refused_without_harm(
    split: CloudRun, cloud: LocalCloud
) -> None:
    for code in CODES:
        cloud.faults.add("Services.UpdateService: operation late by 300ms, once")
        with cloud.faults.add(f"Operations.GetOperation: {code}, once") as fault:
            after = split.split_traffic(BACK, reading(split), Watcher(seconds=10).timeout)
            assert fault.struck == 1, code
        assert after.actual == BACK
        split.split_traffic(SPLIT, reading(split), Watcher().timeout)
        cloud.faults.clear()


def test_a_revision_that_is_not_there_is_told_so_in_the_end(split: CloudRun) -> None:
    assert split.revision("web-nine") is None


def test_a_service_that_is_removed_is_told_so_in_the_end(split: CloudRun) -> None:
    split.remove_service(Watcher().timeout)
    assert until(lambda: split.service() is None)


def test_no_credentials_are_told_soon(split: CloudRun, cloud: LocalCloud) -> None:
    with (
        cloud.faults.add("Services.GetService: UNAUTHENTICATED") as fault,
        pytest.raises(CallFailed, match="UNAUTHENTICATED") as failed,
    ):
        split.service()
    assert fault.struck == 4
    assert failed.value.hint == "gcloud auth application-default login"
