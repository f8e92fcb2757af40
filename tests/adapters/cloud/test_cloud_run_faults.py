"""Every change of the platform on bad days: it succeeds, or says what could not be done."""

from collections.abc import Iterable, Iterator

import pytest

from cloudrun_emulator.emulator import LocalCloud
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.model.errors import CallFailed, DeadlineExceeded, GateClosed, ReleaseError
from greenrun.model.plan import Location
from greenrun.model.traffic import TrafficSplit
from tests.adapters.cloud.candidates import Watcher, reading, revision
from tests.adapters.cloud.changes import (
    CHANGES,
    JOB,
    ONE,
    TWO,
    WITHOUT_TRAFFIC,
    Change,
    deployed,
    serving,
)

PASSING = (
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "ABORTED",
    "RESOURCE_EXHAUSTED",
    "INTERNAL",
    "UNKNOWN",
    "CANCELLED",
)
SURVIVED = (*PASSING, "reply lost", "reply late by 200ms", "operation never done")
FINAL = ("PERMISSION_DENIED", "INVALID_ARGUMENT")
DOUBTFUL = ("UNAUTHENTICATED", "FAILED_PRECONDITION", "NOT_FOUND")

# Letting everybody in has no patience but that of every call, which is long.
IN_TIME = {name: change for name, change in CHANGES.items() if name != "let all invoke"}


def pairs(faults: Iterable[str]) -> pytest.MarkDecorator:
    """Each change with each fault that it can meet and that means something to it."""
    return pytest.mark.parametrize(
        ("change", "fault"),
        [
            pytest.param(change, fault, id=f"{name}: {fault}")
            for name, change in CHANGES.items()
            for fault in faults
            if not (fault.startswith("operation") and change is CHANGES["let all invoke"])
            and not (fault == "NOT_FOUND" and name.startswith("remove"))
        ],
    )


reads = pytest.mark.parametrize(
    ("change", "rpc"),
    [
        pytest.param(change, rpc, id=f"{name} {rpc}")
        for name, change in CHANGES.items()
        for rpc in change.reads
    ],
)


@pytest.fixture(autouse=True)
def _faults_end(cloud: LocalCloud, platform: CloudRun) -> Iterator[None]:
    assert platform
    yield
    cloud.faults.clear()


def executions(clients: GoogleClients, place: Location) -> int:
    """How many there are of the job."""
    parent = f"{place.parent}/jobs/{JOB.name}"
    return len(list(clients.executions.list_executions(parent=parent)))


@pairs(SURVIVED)
def test_a_fault_of_the_change_itself_is_survived(
    platform: CloudRun, cloud: LocalCloud, change: Change, fault: str
) -> None:
    change.prepare(platform)
    with cloud.faults.add(f"{change.rpc}: {fault}, once"):
        assert change.make(platform, Watcher(seconds=10).timeout)


@reads
@pytest.mark.parametrize("fault", ["UNAVAILABLE, twice", "INTERNAL, once"])
def test_a_fault_of_what_is_read_meanwhile_is_survived(
    platform: CloudRun, cloud: LocalCloud, change: Change, rpc: str, fault: str
) -> None:
    change.prepare(platform)
    with cloud.faults.add(f"{rpc}: {fault}"):
        assert change.make(platform, Watcher(seconds=10).timeout)


@pytest.mark.parametrize("name", ["create", "deploy", "split", "scale to zero", "scale by load"])
@pytest.mark.parametrize("fault", ["stale, 4 times"])
def test_stale_readings_are_not_believed(
    platform: CloudRun, cloud: LocalCloud, name: str, fault: str
) -> None:
    CHANGES[name].prepare(platform)
    with cloud.faults.add(f"Services.GetService: {fault}"):
        assert CHANGES[name].make(platform, Watcher(seconds=10).timeout)


@pytest.mark.parametrize("name", ["deploy", "split", "write job"])
def test_answers_that_are_lost_again_and_again_are_survived(
    platform: CloudRun, cloud: LocalCloud, name: str
) -> None:
    CHANGES[name].prepare(platform)
    with cloud.faults.add(f"{CHANGES[name].rpc}: reply lost, 3 times"):
        assert CHANGES[name].make(platform, Watcher(seconds=10).timeout)


@pairs(FINAL)
def test_what_no_repetition_mends_is_told_at_once(
    platform: CloudRun, cloud: LocalCloud, place: Location, change: Change, fault: str
) -> None:
    change.prepare(platform)
    with cloud.faults.add(f"{change.rpc}: {fault}") as struck, pytest.raises(CallFailed) as failed:
        change.make(platform, Watcher(seconds=10).timeout)
    assert struck.struck == 1
    assert failed.value.message.startswith("could not ")
    assert f"got {fault}: Fault: " in failed.value.message
    _tells_what_to_do(failed.value, change, place)


@pairs(DOUBTFUL)
def test_what_is_doubtful_is_believed_once_it_is_said_again(
    platform: CloudRun, cloud: LocalCloud, place: Location, change: Change, fault: str
) -> None:
    change.prepare(platform)
    with cloud.faults.add(f"{change.rpc}: {fault}") as struck, pytest.raises(CallFailed) as failed:
        change.make(platform, Watcher(seconds=10).timeout)
    assert struck.struck == 4
    assert f"got {fault}: Fault: " in failed.value.message
    _tells_what_to_do(failed.value, change, place)


@pytest.mark.parametrize("change", IN_TIME.values(), ids=IN_TIME)
def test_what_does_not_pass_is_told_when_the_time_is_over(
    platform: CloudRun, cloud: LocalCloud, place: Location, change: Change
) -> None:
    change.prepare(platform)
    with cloud.faults.add(f"{change.rpc}: UNAVAILABLE"), pytest.raises(DeadlineExceeded) as failed:
        change.make(platform, Watcher(seconds=0.5).timeout)
    assert "last answer UNAVAILABLE: Fault: " in failed.value.last_seen
    _tells_what_to_do(failed.value, change, place)


@pytest.mark.parametrize("name", ["create", "deploy", "split", "run", "remove service"])
def test_work_that_never_begins_ends_with_the_time(
    platform: CloudRun, cloud: LocalCloud, place: Location, name: str
) -> None:
    change = CHANGES[name]
    change.prepare(platform)
    with (
        cloud.faults.add(f"{change.rpc}: operation never begun"),
        pytest.raises(DeadlineExceeded) as failed,
    ):
        change.make(platform, Watcher(seconds=0.5).timeout)
    assert failed.value.hint.startswith("`gcloud run ")
    _tells_what_to_do(failed.value, change, place)


def test_operations_that_may_not_be_read_do_no_harm(platform: CloudRun, cloud: LocalCloud) -> None:
    with cloud.faults.add("Operations.*: PERMISSION_DENIED"):
        for change in ("create", "run"):
            assert CHANGES[change].make(platform, Watcher().timeout)


@pytest.mark.parametrize(
    "fault", ["UNAVAILABLE", "reply lost", "reply lost, twice", "operation never done"]
)
def test_a_job_runs_once_whatever_is_answered(
    platform: CloudRun, cloud: LocalCloud, clients: GoogleClients, place: Location, fault: str
) -> None:
    occasion = "" if ", " in fault else ", once"
    with cloud.faults.add(f"Jobs.RunJob: {fault}{occasion}"):
        assert platform.run(JOB, Watcher(seconds=10).timeout).succeeded
    assert executions(clients, place) == 1


def test_an_earlier_execution_is_not_taken_for_the_one_that_was_begun(
    platform: CloudRun, cloud: LocalCloud, clients: GoogleClients, place: Location
) -> None:
    first = platform.run(JOB, Watcher().timeout)
    with cloud.faults.add("Jobs.RunJob: UNAVAILABLE, once"):
        second = platform.run(JOB, Watcher(seconds=10).timeout)
    assert first.name != second.name
    assert executions(clients, place) == 2


def test_the_way_back_does_not_wait_for_a_revision_that_never_gets_ready(
    platform: CloudRun, cloud: LocalCloud
) -> None:
    serving(platform)
    back = reading(platform).wanted
    cloud.faults.add(f"revision {TWO}: never ready")
    with pytest.raises(DeadlineExceeded):
        CHANGES["deploy"].make(platform, Watcher(seconds=0.5).timeout)
    after = platform.split_traffic(back, reading(platform), Watcher(seconds=5).timeout)
    assert (after.wanted, after.actual) == (back, back)


@pytest.mark.parametrize("fault", ["reply lost", "operation never done"])
def test_a_split_that_failed_is_told_though_no_operation_tells_it(
    platform: CloudRun, cloud: LocalCloud, fault: str
) -> None:
    serving(platform)
    timeout = Watcher(seconds=10).timeout
    with pytest.raises(GateClosed):
        platform.deploy(revision("two", "gone"), WITHOUT_TRAFFIC, reading(platform), timeout)
    cloud.faults.add(f"Services.UpdateService: {fault}, once")
    with pytest.raises(CallFailed, match=r"could not give .* the split 100 % web-two .*: got REV"):
        platform.split_traffic(TrafficSplit.all_to(TWO), reading(platform), timeout)
    assert reading(platform).actual == TrafficSplit.all_to(ONE)


def test_what_was_asked_for_in_vain_can_be_asked_for_again(
    platform: CloudRun, cloud: LocalCloud
) -> None:
    deployed(platform)
    split = WITHOUT_TRAFFIC.shared({ONE: 90, TWO: 10})
    timeout = Watcher(seconds=0.5).timeout
    cloud.faults.add("Services.UpdateService: operation never begun, once")
    with pytest.raises(DeadlineExceeded):
        platform.split_traffic(split, reading(platform), timeout)
    again = reading(platform)
    assert again.wanted == split != again.actual
    assert platform.split_traffic(split, again, Watcher(seconds=5).timeout).actual == split


def _tells_what_to_do(failed: ReleaseError, change: Change, place: Location) -> None:
    assert place.parent in failed.message
    assert f"({change.rpc.partition('.')[2]})" in failed.message
    assert failed.hint
