from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import grpc
import httpx
import pytest
from google.cloud.logging_v2.types import ListLogEntriesResponse
from google.cloud.logging_v2.types import LogEntry as RawEntry
from google.protobuf.struct_pb2 import Struct

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.faults.registry import Faults
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.logs import CloudLogs
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Job, LogEntry, Timeout
from greenrun.model.plan import Location
from greenrun.model.revision import RevisionSettings
from greenrun.model.service import Service
from greenrun.model.traffic import Target, TrafficSplit
from tests.adapters.cloud.candidates import reading, revision, until
from tests.adapters.cloud.programs import MANY, SECRET

TASK = "in-process/task"


@pytest.fixture
def logs(clients: GoogleClients, place: Location) -> CloudLogs:
    return CloudLogs(clients, place, "web", lambda text: text.replace(SECRET, "********"))


@pytest.fixture
def faults(cloud: LocalCloud) -> Iterator[Faults]:
    yield cloud.faults
    cloud.faults.clear()


def found(platform: CloudRun) -> Service:
    service = platform.service()
    assert service is not None
    return service


def told(entries: Iterable[LogEntry]) -> list[tuple[str, str]]:
    return [(entry.severity, entry.text) for entry in entries]


def test_a_revision_tells_all_that_it_wrote_in_order_and_redacted(
    platform: CloudRun, logs: CloudLogs, timeout: Timeout
) -> None:
    platform.create(revision("one", "talkative"), timeout)
    entries = logs.of_revision("web-one")
    assert told(entries) == [
        ("DEFAULT", "the key is ********"),
        ("DEFAULT", "to stderr"),
        ("ERROR", "no ********"),
        ("INFO", '{"count": 3.0}'),
        ("DEFAULT", "Application startup complete"),
    ]
    assert entries == sorted(entries, key=lambda entry: entry.time)


def test_requests_are_no_part_of_what_a_revision_wrote(
    platform: CloudRun, logs: CloudLogs, timeout: Timeout
) -> None:
    platform.create(revision("one"), timeout)
    httpx.get(found(platform).url, headers={"user-agent": "us"})
    until(lambda: logs.answerers("us"))
    assert told(logs.of_revision("web-one")) == [("DEFAULT", "Application startup complete")]


def test_a_long_log_is_read_to_its_end(
    platform: CloudRun, logs: CloudLogs, timeout: Timeout
) -> None:
    platform.create(revision("one", "endless"), timeout)
    texts = [entry.text for entry in logs.of_revision("web-one")]
    # Entries of the very same time come in no order of theirs.
    assert Counter(texts) == Counter(
        [*(f"line {number}" for number in range(MANY)), "Application startup complete"]
    )


def test_other_revisions_are_not_in_it(
    platform: CloudRun, logs: CloudLogs, timeout: Timeout
) -> None:
    platform.create(revision("one", "talkative"), timeout)
    split = TrafficSplit((Target("web-one", 100), Target("web-two", 0, "candidate")))
    platform.deploy(revision("two"), split, reading(platform), timeout)
    assert told(logs.of_revision("web-two")) == [("DEFAULT", "Application startup complete")]
    assert logs.of_revision("web-three") == []


def test_an_execution_tells_what_it_wrote(
    platform: CloudRun, logs: CloudLogs, timeout: Timeout
) -> None:
    wanted = Job("migrate", TASK, (TASK,), RevisionSettings(variables={"EXIT_CODE": "7"}))
    first, second = platform.run(wanted, timeout), platform.run(wanted, timeout)
    texts = [entry.text for entry in logs.of_execution(first.name)]
    assert texts[-1] == "exit 7"
    assert f"CLOUD_RUN_EXECUTION={first.name}" in texts
    assert f"CLOUD_RUN_EXECUTION={second.name}" not in texts


def test_the_request_log_tells_who_answered_that_very_user_agent(
    platform: CloudRun, logs: CloudLogs, timeout: Timeout
) -> None:
    platform.create(revision("one"), timeout)
    platform.let_all_invoke()
    platform.deploy(
        revision("two"), TrafficSplit((Target("web-two", 100),)), reading(platform), timeout
    )
    service = platform.service()
    assert service is not None
    for agent in ("greenrun/1a", "greenrun/1A", "greenrun/1a2", "greenrun/1a"):
        httpx.get(service.url, headers={"user-agent": agent})
    answerers = until(
        lambda: [*logs.answerers("greenrun/1a")][:2][1:] and logs.answerers("greenrun/1a")
    )
    assert answerers == ["web-two", "web-two"]
    assert logs.answerers("nobody") == []


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
def test_a_reading_that_is_refused_for_the_moment_is_made_again(
    platform: CloudRun, logs: CloudLogs, timeout: Timeout, faults: Faults, code: str
) -> None:
    platform.create(revision("one"), timeout)
    faults.add(f"*.ListLogEntries: {code}, twice")
    assert told(logs.of_revision("web-one")) == [("DEFAULT", "Application startup complete")]


def test_a_reading_that_is_not_allowed_says_so_at_once(logs: CloudLogs, faults: Faults) -> None:
    faults.add("*.ListLogEntries: PERMISSION_DENIED")
    with pytest.raises(
        CallFailed, match="could not read the log of web: got PERMISSION_DENIED"
    ) as refused:
        logs.of_revision("web-one")
    assert "grant" in refused.value.hint


@contextmanager
def pages_of(listed: ListLogEntriesResponse) -> Iterator[str]:
    """The address of a log that answers each reading so."""

    def page(_: bytes, __: grpc.ServicerContext) -> bytes:
        return bytes(ListLogEntriesResponse.serialize(listed))

    handler = grpc.unary_unary_rpc_method_handler(page)
    service = "google.logging.v2.LoggingServiceV2"
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, {"ListLogEntries": handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@pytest.mark.parametrize("text", ["short", 10_000 * "long"])
def test_a_log_without_end_is_a_failed_call(place: Location, text: str) -> None:
    entries = 1000 * [RawEntry(text_payload=text)]
    with (
        pages_of(ListLogEntriesResponse(entries=entries, next_page_token="more")) as address,
        closing(GoogleClients(Endpoints.all_at(address))) as clients,
        pytest.raises(CallFailed, match="got more than 50,000 entries or 50 MB, needs fewer"),
    ):
        CloudLogs(clients, place, "web", str).of_revision("web-one")


def test_an_entry_that_json_cannot_write_is_shown_as_it_is(place: Location) -> None:
    fields = Struct()
    fields["load"] = float("inf")
    entry = RawEntry()
    RawEntry.pb(entry).json_payload.CopyFrom(fields)
    with (
        pages_of(ListLogEntriesResponse(entries=[entry])) as address,
        closing(GoogleClients(Endpoints.all_at(address))) as clients,
    ):
        (found,) = CloudLogs(clients, place, "web", str).of_revision("web-one")
    assert "inf" in found.text
