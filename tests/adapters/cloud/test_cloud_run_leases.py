"""Claims as jobs of Cloud Run: what is on the wire, and what may go wrong there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import run_v2

from cloudrun_emulator.emulator import LocalCloud
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.leases import CloudRunLeases
from greenrun.model.errors import CallFailed
from greenrun.model.plan import Location
from tests.release.lock.contenders import lease

LOST = ["reply lost, once", "UNAVAILABLE, twice", "DEADLINE_EXCEEDED, once", "INTERNAL, once"]
BUSY = ["ABORTED, twice", "RESOURCE_EXHAUSTED, twice"]


@pytest.fixture
def leases(clients: GoogleClients, place: Location) -> CloudRunLeases:
    return CloudRunLeases(clients, place, "web", lambda: "in-process/echo", "releaser@p.iam")


def job(clients: GoogleClients, place: Location, job_id: str) -> run_v2.Job:
    return clients.jobs.get_job(name=f"{place.parent}/jobs/{job_id}")


def test_a_lease_is_a_job_that_people_can_read(
    leases: CloudRunLeases, clients: GoogleClients, place: Location
) -> None:
    leases.create(made := lease(12, "ana", release_state="begun"))
    kept = job(clients, place, "web-lock-12")
    assert dict(kept.annotations) == {
        "greenrun.dev/account": "ana@example.com",
        "greenrun.dev/host": "anas-host",
        "greenrun.dev/process": "4711",
        "greenrun.dev/run": made.owner.run,
        "greenrun.dev/lifetime": made.owner.lifetime,
        "greenrun.dev/since": "2026-11-21T08:00:00+00:00",
        "greenrun.dev/seconds-to-live": "90.0",
        "greenrun.dev/held": "yes",
        "greenrun.dev/release-state": "begun",
    }
    assert kept.template.template.service_account == "releaser@p.iam"
    assert [container.command for container in kept.template.template.containers] == [["true"]]


def test_the_beat_is_the_platforms_time_and_every_write_makes_a_generation(
    leases: CloudRunLeases, clients: GoogleClients, place: Location
) -> None:
    began = datetime.now(UTC)
    leases.create(made := lease(1))
    leases.update(made)
    leases.update(made)
    assert job(clients, place, "web-lock-1").generation == 3
    (read,) = leases.all()
    assert began < read.renewed_at < datetime.now(UTC)
    assert read.renewed_at > made.renewed_at


def test_the_image_is_asked_for_once_and_not_for_reading(
    clients: GoogleClients, place: Location
) -> None:
    asked: list[str] = []

    def image() -> str:
        asked.append("asked")
        return "in-process/echo"

    leases = CloudRunLeases(clients, place, "web", image)
    leases.all()
    assert asked == []
    leases.create(made := lease(1))
    leases.update(made)
    assert asked == ["asked"]


def test_other_jobs_and_leases_on_other_services_are_no_concern_of_it(
    leases: CloudRunLeases, clients: GoogleClients, place: Location
) -> None:
    for name in ("web-lock", "we", "other-web", "web-lock-1", "webb"):
        others = CloudRunLeases(clients, place, name, lambda: "in-process/echo")
        others.create(lease(5))
    for name in ("migrate", "web-lock-no1", "web-lock-007"):
        wanted = run_v2.Job(template={"template": {"containers": [{"image": "in-process/task"}]}})
        clients.jobs.create_job(parent=place.parent, job=wanted, job_id=name)
    assert list(leases.all()) == []


def test_a_job_that_only_has_the_name_of_a_lease_is_told_as_one_that_cannot_be_read(
    leases: CloudRunLeases, clients: GoogleClients, place: Location
) -> None:
    leases.create(ours := lease(1))
    began = datetime.now(UTC)
    wanted = run_v2.Job(template={"template": {"containers": [{"image": "in-process/task"}]}})
    clients.jobs.create_job(parent=place.parent, job=wanted, job_id="web-lock-9999")
    foreign, read = leases.all()
    assert (foreign.number, foreign.held) == (9999, True)
    assert began < foreign.renewed_at < datetime.now(UTC)
    assert foreign.unreadable == f"job {place.parent}/jobs/web-lock-9999: got KeyError('process')"
    assert replace(read, renewed_at=ours.renewed_at) == ours


@pytest.mark.parametrize("seconds", ["inf", "nan", "1e300", "soon", "5; drop", "0", "-1"])
def test_a_lease_that_somebody_has_edited_is_named(
    leases: CloudRunLeases, clients: GoogleClients, place: Location, seconds: str
) -> None:
    leases.create(lease(1))
    job = clients.jobs.get_job(name=f"{place.parent}/jobs/web-lock-1")
    (name,) = (name for name in job.annotations if name.endswith("seconds-to-live"))
    job.annotations[name] = seconds
    clients.jobs.update_job(job=job).result()  # type: ignore[no-untyped-call] # bare there
    (read,) = leases.all()
    assert read.unreadable.startswith(f"job {place.parent}/jobs/web-lock-1: got ")
    leases.update(lease(1))
    (read,) = leases.all()
    assert not read.unreadable


def test_the_longest_service_name_leaves_room_for_many_leases(
    clients: GoogleClients, place: Location
) -> None:
    leases = CloudRunLeases(clients, place, "w" * 49, lambda: "in-process/echo")
    assert leases.create(lease(99_999_999))
    assert leases.all()[0].number == 99_999_999


def test_a_lease_is_found_on_whatever_page_it_stands(
    leases: CloudRunLeases, clients: GoogleClients, place: Location
) -> None:
    """The oldest stands last; a page holds a thousand."""
    leases.create(lease(1))
    wanted = run_v2.Job(template={"template": {"containers": [{"image": "in-process/task"}]}})
    for number in range(1001):
        clients.jobs.create_job(parent=place.parent, job=wanted, job_id=f"job-{number}")
    assert [one.number for one in leases.all()] == [1]


@pytest.mark.parametrize("fault", LOST + BUSY)
def test_a_lease_whose_answer_was_lost_or_late_is_ours(
    leases: CloudRunLeases, cloud: LocalCloud, fault: str
) -> None:
    with cloud.faults.add(f"Jobs.CreateJob: {fault}") as struck:
        assert leases.create(made := lease(1))
    assert struck.struck
    assert [one.owner for one in leases.all()] == [made.owner]


def test_a_lease_whose_every_answer_is_lost_is_ours(
    leases: CloudRunLeases, cloud: LocalCloud
) -> None:
    with cloud.faults.add("Jobs.CreateJob: reply lost"):
        assert leases.create(lease(1))


@pytest.mark.parametrize("fault", ["reply lost, once", "DEADLINE_EXCEEDED, once", "ABORTED, once"])
def test_a_lease_of_somebody_else_is_not_ours_whatever_is_lost(
    leases: CloudRunLeases, cloud: LocalCloud, fault: str
) -> None:
    leases.create(theirs := lease(1, "bob"))
    with cloud.faults.add(f"Jobs.CreateJob: {fault}"):
        assert not leases.create(lease(1, "ana"))
        assert not leases.create(replace(theirs, release_state="another"))
    assert [one.owner for one in leases.all()] == [theirs.owner]


@pytest.mark.parametrize("fault", LOST + BUSY)
def test_a_write_whose_answer_was_lost_or_late_took_place(
    leases: CloudRunLeases, cloud: LocalCloud, fault: str
) -> None:
    leases.create(made := lease(1))
    with cloud.faults.add(f"Jobs.UpdateJob: {fault}") as struck:
        leases.update(replace(made, release_state="users moved"))
    assert struck.struck
    assert leases.all()[0].release_state == "users moved"


@pytest.mark.parametrize("fault", LOST + BUSY)
def test_a_removal_and_a_listing_survive_the_same(
    leases: CloudRunLeases, cloud: LocalCloud, fault: str
) -> None:
    leases.create(lease(1))
    with cloud.faults.add(f"Jobs.DeleteJob: {fault}"), cloud.faults.add(f"Jobs.ListJobs: {fault}"):
        leases.remove(1)
        assert list(leases.all()) == []


@pytest.mark.parametrize(
    ("rpc", "what"),
    [
        ("ListJobs", "list the leases on web"),
        ("CreateJob", "create job web-lock-1"),
        ("UpdateJob", "update job web-lock-1"),
        ("DeleteJob", "delete job web-lock-1"),
    ],
)
def test_a_refused_call_is_named_with_what_to_do(
    leases: CloudRunLeases, cloud: LocalCloud, rpc: str, what: str
) -> None:
    calls = {
        "ListJobs": leases.all,
        "CreateJob": lambda: leases.create(lease(1)),
        "UpdateJob": lambda: leases.update(lease(1)),
        "DeleteJob": lambda: leases.remove(1),
    }
    with (
        cloud.faults.add(f"Jobs.{rpc}: PERMISSION_DENIED"),
        pytest.raises(CallFailed, match=f"could not {what}: got PERMISSION_DENIED") as failure,
    ):
        calls[rpc]()  # type: ignore[no-untyped-call] # bare there
    assert failure.value.hint


def test_a_lease_lives_as_long_as_its_owner_says(leases: CloudRunLeases) -> None:
    leases.create(lease(1, time_to_live=timedelta(milliseconds=1500)))
    assert leases.all()[0].time_to_live == timedelta(milliseconds=1500)
