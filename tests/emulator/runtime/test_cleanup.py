"""What a killed cloud left behind goes; what a living one has stays."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import docker
import grpc
import pytest
from google.cloud import run_v2
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport

from cloudrun_emulator.core.interfaces import InstanceSpec, Mount
from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.runtime import cleanup
from cloudrun_emulator.runtime.cleanup import OWNER_LABEL, Owner
from cloudrun_emulator.runtime.docker import DockerRuntime
from tests.contract.caller import result

SOON = timedelta(seconds=20)
SLEEP = ("python", "-c", "import signal; signal.pause()")

CLOUD = f"""
import signal
from cloudrun_emulator.runtime import cleanup
from cloudrun_emulator.runtime.docker import DockerRuntime
from cloudrun_emulator.core.interfaces import InstanceSpec, Mount
runtime = DockerRuntime()
mounts = (Mount("data", "/data"),)
runtime.start(InstanceSpec("left", "python:3.11-slim", {{}}, command={SLEEP}, mounts=mounts))
print(cleanup.scratch_folder("test"), flush=True)
signal.pause()
"""


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    with closing(docker.from_env()) as client:
        yield client


def ended_process() -> Owner:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        return Owner.of(process.pid)


def things_of(engine: docker.DockerClient, owner: Owner) -> list[str]:
    mine: dict[str, str | list[str] | bool] = {"label": f"{OWNER_LABEL}={owner}"}
    containers = engine.containers.list(all=True, filters=mine, sparse=True)
    others = (*engine.volumes.list(filters=mine), *engine.networks.list(filters=mine))
    return [type(it).__name__ for it in (*containers, *others)]


def test_an_owner_is_read_back_as_written() -> None:
    assert Owner.parse(str(cleanup.this_process())) == cleanup.this_process()


def test_a_running_process_is_not_gone() -> None:
    assert not cleanup.this_process().is_gone()


def test_an_ended_process_is_gone() -> None:
    assert ended_process().is_gone()


@pytest.mark.skipif(sys.platform != "linux", reason="zombies are told by /proc")
def test_an_ended_process_that_nobody_collected_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner = Owner.of(process.pid)
        process.send_signal(signal.SIGKILL)
        wait_until(owner.is_gone, SOON, "the process to end")
        os.kill(process.pid, 0)  # still there: it is collected below


@pytest.mark.skipif(sys.platform != "linux", reason="start times are read from /proc")
def test_a_later_process_of_the_same_id_is_another_owner() -> None:
    me = cleanup.this_process()
    assert Owner(me.pid, me.started - 1, me.namespace).is_gone()


def test_a_process_that_cannot_be_seen_from_here_is_not_taken_for_gone() -> None:
    gone = ended_process()
    assert not Owner(gone.pid, gone.started, gone.namespace + 1).is_gone()


def test_scratch_folders_of_ended_processes_go_and_others_stay() -> None:
    orphan = Path(tempfile.mkdtemp(prefix=f"greenrun-cloud.{ended_process()}.test."))
    foreign = Path(tempfile.mkdtemp(prefix="greenrun-cloud.something-else."))
    mine = cleanup.scratch_folder("test")
    try:
        cleanup.remove_scratch_folders()
        assert [it.exists() for it in (orphan, foreign, mine)] == [False, True, True]
    finally:
        foreign.rmdir()
        mine.rmdir()


@pytest.mark.docker
def test_a_killed_cloud_is_cleaned_up_and_a_living_one_is_left_alone(
    engine: docker.DockerClient,
) -> None:
    with closing(DockerRuntime()) as living:
        mount = Mount("data", "/data")
        living.start(InstanceSpec("living", "python:3.11-slim", {}, command=SLEEP, mounts=(mount,)))
        with subprocess.Popen(
            [sys.executable, "-c", CLOUD], stdout=subprocess.PIPE, text=True
        ) as cloud:
            assert cloud.stdout
            scratch = Path(cloud.stdout.readline().strip())
            killed = Owner.of(cloud.pid)
            cleanup.clean_up()
            assert things_of(engine, killed) == ["Container", "Volume", "Network"]
            cloud.send_signal(signal.SIGKILL)
        assert things_of(engine, killed) == ["Container", "Volume", "Network"]
        assert scratch.exists()
        cleanup.clean_up()
        assert things_of(engine, killed) == []
        assert not scratch.exists()
        assert things_of(engine, cleanup.this_process()) == ["Container", "Volume", "Network"]
    assert things_of(engine, cleanup.this_process()) == []


def test_an_ended_process_owns_nothing_new() -> None:
    with pytest.raises(ProcessLookupError):
        Owner.of(ended_process().pid)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone ends Envoy with its parent")
def test_a_killed_cloud_answers_nowhere() -> None:
    """What was in the middle of a release learns of it at once, and not by waiting."""
    command = [
        sys.executable,
        "-c",
        "from cloudrun_emulator.cli import main; main()",
        "cloud",
        "--json",
    ]
    with subprocess.Popen([*command, "--runtime", "in-process"], stdout=subprocess.PIPE) as cloud:
        assert cloud.stdout
        addresses = json.loads(cloud.stdout.readline())
        public = serving(addresses["grpc"])
        doors = [addresses["grpc"], *(urlsplit(url).netloc for url in (addresses["rest"], public))]
        assert all(map(listens, doors))
        cloud.send_signal(signal.SIGKILL)
        cloud.wait()
    wait_until(lambda: not any(map(listens, doors)), timedelta(seconds=2), "the doors to close")


def serving(address: str) -> str:
    """The URL of a new service."""
    with grpc.insecure_channel(address) as channel:
        client = run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=channel))
        container = run_v2.Container(image="in-process/echo")
        operation = client.create_service(
            parent="projects/p/locations/r",
            service=run_v2.Service(template={"containers": [container]}),
            service_id="web",
        )
        return str(result(operation).uri)


def listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with closing(socket.socket()) as caller:
        return caller.connect_ex((host, int(port))) == 0
