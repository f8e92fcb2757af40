"""However a rehearsal ends, users are where they were and nothing remains on this machine."""

import os
import signal
from collections.abc import Iterator

import docker
import pytest

from tests.rehearsal import remains
from tests.rehearsal.project import QUICK, Ended, Project, Running

pytestmark = pytest.mark.docker


EVENTS = """

def pytest_greenrun_began(event):
    _keep("began", event)


def pytest_greenrun_rolled_back(event):
    _keep("rolled back", event)
    raise OSError("no network")


def pytest_greenrun_ended(event):
    _keep("ended", event)


def _keep(moment, event):
    facts = (moment, event.service, event.baseline, event.share, event.reason, event.exit_status)
    with open("reports/events", "a") as file:
        print(*facts, sep="; ", file=file)
"""


@pytest.fixture
def under_way(branch: Project) -> Iterator[Running]:
    """A rehearsal whose candidate serves some of the users, and will for long."""
    branch.replace(
        "release.yaml", "max-duration: 60s\n", "max-duration: 60s\n      min-duration: 1m\n"
    )
    branch.append("conftest.py", EVENTS)
    with branch.rehearsing(*QUICK) as run:
        run.await_users_on_the_candidate()
        assert remains.ports_of(run.cloud)
        yield run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_takes_it_back(
    number: signal.Signals, under_way: Running, green: Ended, engine: docker.DockerClient
) -> None:
    baseline = green.record()["candidate"]
    under_way.process.send_signal(number)
    ended = under_way.end()

    assert ended.status == 2, ended.output
    assert f"rolled back: {baseline} serves every user, as before" in ended.output
    assert f"Not released: interrupted by {number.name}" in ended.output
    rollback = [one["state"] for one in ended.changes() if one["action"] == "roll back"]
    assert rollback == ["begun", "done"]
    record = ended.record()
    assert record["outcome"] == "not released, users served as before"
    assert record["traffic"].startswith(f"100 % {baseline}")
    assert ended.stopped()["statusDetails"]["message"] == f"interrupted by {number.name}"
    reason = f"interrupted by {number.name}"
    assert (ended.project.reports / "events").read_text("utf-8").splitlines() == [
        "began; emergence-app; ; None; ; None",
        f"rolled back; emergence-app; {baseline}; 0; {reason}; None",
        f"ended; emergence-app; {baseline}; 0; ; 2",
    ]
    assert ended.output.count("pytest_greenrun_rolled_back: OSError: no network") == 1
    remains.await_nothing_of(engine, ended.cloud)


def test_a_killed_rehearsal_takes_its_cloud_along(
    under_way: Running, engine: docker.DockerClient
) -> None:
    ports = remains.ports_of(under_way.cloud)
    assert remains.everything_of(engine, under_way.cloud)
    under_way.kill()
    remains.await_nothing_of(engine, under_way.cloud)
    assert not ports & remains.listening()


def test_the_next_start_cleans_up_after_a_killed_cloud(
    under_way: Running, engine: docker.DockerClient
) -> None:
    os.kill(under_way.cloud.pid, signal.SIGKILL)
    under_way.kill()
    left = {thing.split()[0] for thing in remains.everything_of(engine, under_way.cloud)}
    assert {"container", "volume", "network"} <= left

    after = under_way.project.begin()

    assert after.status == 1, after.output
    assert "Not released: stopped at It ends here" in after.output
    remains.await_nothing_of(engine, under_way.cloud)
    remains.await_nothing_of(engine, after.cloud)


def test_a_rehearsal_whose_cloud_dies_calls_for_a_person(
    branch: Project, engine: docker.DockerClient
) -> None:
    with branch.rehearsing(*QUICK) as run:
        run.await_change("deploy")
        os.kill(run.cloud.pid, signal.SIGKILL)
        ended = run.end()

    assert ended.status == 10, ended.output
    assert ended.record()["outcome"] == "not released, and a person is needed"
    assert ended.output.count("A PERSON IS NEEDED") == 1
    baseline = ended.record()["baseline"]
    assert (
        f"gcloud run services update-traffic emergence-app --to-revisions={baseline}=100"
        in ended.output
    )
    branch.begin()
    remains.await_nothing_of(engine, ended.cloud)
