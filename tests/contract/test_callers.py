"""Who made a resource and who changed it last, as callers tell by metadata or by a header."""

from collections.abc import Callable

import pytest
from google.cloud import run_v2
from google.protobuf.field_mask_pb2 import FieldMask

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.server.calls import HEADER
from tests.contract.caller import Caller, connect, moment, result

ANNA = [(HEADER, "anna@example.org")]
BERT = [(HEADER, "bert@example.org")]


@pytest.fixture
def jobs(cloud: LocalCloud, transport: str) -> run_v2.JobsClient:
    return connect(run_v2.JobsClient, cloud, transport)


@pytest.fixture
def heartbeat(caller: Caller, jobs: run_v2.JobsClient) -> Callable[..., run_v2.Job]:
    """Update the job `lock` to carry this beat."""
    task = run_v2.TaskTemplate(containers=[caller.program("echo")])

    def beat(number: int, metadata: list[tuple[str, str]]) -> run_v2.Job:
        job = run_v2.Job(
            name=f"{caller.parent}/jobs/lock",
            template=run_v2.ExecutionTemplate(template=task),
            annotations={"beat": str(number)},
        )
        request = run_v2.UpdateJobRequest(job=job, allow_missing=True)
        updated: run_v2.Job = result(jobs.update_job(request, metadata=metadata))
        return updated

    return beat


def describe(caller: Caller, text: str, metadata: list[tuple[str, str]]) -> run_v2.Service:
    service = run_v2.Service(name=caller.service_name, description=text)
    mask = FieldMask(paths=["description"])
    updated: run_v2.Service = result(
        caller.services.update_service(service=service, update_mask=mask, metadata=metadata)
    )
    return updated


def test_a_caller_without_a_name_is_anonymous(caller: Caller) -> None:
    service = caller.create()
    assert (service.creator, service.last_modifier) == ("anonymous", "anonymous")


def test_a_service_tells_who_changed_it_last_and_when(caller: Caller) -> None:
    created = caller.create()
    changed = describe(caller, "by Anna", ANNA)
    assert (changed.creator, changed.last_modifier) == ("anonymous", "anna@example.org")
    assert moment(changed.update_time) > moment(created.update_time)
    assert caller.get().last_modifier == "anna@example.org"


def test_a_change_that_changes_nothing_has_no_author(caller: Caller) -> None:
    caller.create()
    changed = describe(caller, "by Anna", ANNA)
    same = describe(caller, "by Anna", BERT)
    assert same.last_modifier == "anna@example.org"
    assert (same.update_time, same.etag) == (changed.update_time, changed.etag)


def test_a_revision_tells_who_made_it(caller: Caller) -> None:
    service = run_v2.Service(template=caller.template())
    made = result(
        caller.services.create_service(
            parent=caller.parent, service=service, service_id=caller.service_id, metadata=BERT
        )
    )
    assert made.creator == "bert@example.org"
    assert caller.revision(made.latest_created_revision).creator == "bert@example.org"


def test_each_heartbeat_of_a_job_is_seen(
    jobs: run_v2.JobsClient, heartbeat: Callable[..., run_v2.Job]
) -> None:
    first, second, third = (heartbeat(number, ANNA) for number in range(3))
    assert first.creator == "anna@example.org"
    beats = [moment(one.update_time) for one in (first, second, third)]
    assert beats == sorted(set(beats))
    assert len({first.etag, second.etag, third.etag}) == 3
    assert jobs.get_job(name=third.name) == third


def test_a_job_tells_who_changed_it_last(heartbeat: Callable[..., run_v2.Job]) -> None:
    heartbeat(1, ANNA)
    taken_over = heartbeat(2, BERT)
    assert (taken_over.creator, taken_over.last_modifier) == (
        "anna@example.org",
        "bert@example.org",
    )


def test_an_execution_tells_who_began_it(
    jobs: run_v2.JobsClient, heartbeat: Callable[..., run_v2.Job]
) -> None:
    job = heartbeat(1, ANNA)
    begun = jobs.run_job({"name": job.name}, metadata=BERT)
    assert begun.metadata.creator == "bert@example.org"
    result(jobs.delete_job(name=job.name))
