"""The command line, as whoever types it sees it."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import docker
import grpc
import httpx
import pytest
from google.cloud import run_v2
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.runtime.cleanup import OWNER_LABEL
from tests.contract.programs import program

GREENRUN = (sys.executable, "-m", "greenrun_cli")
SOON = timedelta(seconds=30)

Cloud = subprocess.Popen[str]


@contextlib.contextmanager
def greenrun_cloud(*options: str, env: dict[str, str] | None = None) -> Iterator[Cloud]:
    """`greenrun cloud`, killed if the test leaves it running."""
    with subprocess.Popen(
        [*GREENRUN, "cloud", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def addresses(process: Cloud) -> dict[str, str]:
    assert process.stdout
    return dict(json.loads(process.stdout.readline()))


def ended(process: Cloud) -> tuple[int, str, str]:
    """Exit status and whatever was not read yet of stdout and stderr."""
    rest, errors = process.communicate(timeout=SOON.total_seconds())
    return process.returncode, rest, errors


def answers(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


def serving(grpc_address: str, runtime: str) -> run_v2.Service:
    """A service that answers, made by the plain official client."""
    service = run_v2.Service(
        template={"containers": [program(runtime, "echo")]}, invoker_iam_disabled=True
    )
    with grpc.insecure_channel(grpc_address) as channel:
        client = run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=channel))
        operation = client.create_service(
            parent="projects/p/locations/l", service=service, service_id="web"
        )
        made: run_v2.Service = operation.result(timeout=60)  # type: ignore[no-untyped-call]
    assert httpx.get(made.uri).json()["revision"].startswith("web-00001")
    return made


def test_help_says_what_there_is() -> None:
    told = subprocess.run([*GREENRUN, "--help"], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"(?m)^  ([a-z]+) ", told.partition("Commands:")[2]) == [
        "check",
        "cloud",
        "init",
        "machine",
        "schema",
        "sentences",
    ]


def test_the_addresses_come_as_one_line_of_json_and_nothing_else() -> None:
    with greenrun_cloud("--json", "--runtime", "in-process") as process:
        told = addresses(process)
        assert set(told) == {"grpc", "rest", "metadata"}
        assert re.fullmatch(r"127\.0\.0\.1:\d+", told["grpc"])
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", told["rest"])
        services = httpx.get(f"{told['rest']}/v2/projects/p/locations/l/services")
        assert services.json() == {}
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (0, "", "")
        assert not any(map(answers, told.values()))


def test_people_are_told_addresses_and_what_to_export() -> None:
    with greenrun_cloud("--runtime", "in-process") as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(11)]
        address, metadata = lines[2].split()[1], lines[4].split()[1]
        assert lines[8] == f"export CLOUD_RUN_EMULATOR_HOST={address}\n"
        exported = dict(pair.split("=") for pair in lines[9].split()[1:])
        assert exported == {
            f"{api}_EMULATOR_HOST": address for api in ("LOGGING", "MONITORING", "SECRET_MANAGER")
        }
        assert lines[10] == f"export GCE_METADATA_HOST={metadata} GCE_METADATA_IP={metadata}\n"
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_it_starts_ends_it_as_well(number: signal.Signals) -> None:
    with greenrun_cloud("--json", "--runtime", "in-process") as process:
        wait_until(lambda: _catches(process.pid, number), SOON, f"{number.name} to be caught")
        process.send_signal(number)
        assert ended(process)[0] == 0


def _catches(pid: int, number: signal.Signals) -> bool:
    """Source: SigCgt in /proc/PID/status (man 5 proc)."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = re.search(r"SigCgt:\s*(\w+)", status)
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)


def test_a_permission_is_denied_to_whoever_asks() -> None:
    denied = ("--deny", "run.jobs.create", "--deny", "run.jobs.run")
    with greenrun_cloud("--json", "--runtime", "in-process", *denied) as process:
        asked = {"permissions": ["run.jobs.create", "run.jobs.run", "run.jobs.get"]}
        url = f"{addresses(process)['rest']}/v3/projects/p:testIamPermissions"
        assert httpx.post(url, json=asked).json() == {"permissions": ["run.jobs.get"]}


def test_what_can_be_no_permission_is_refused_before_anything_starts() -> None:
    with greenrun_cloud("--deny", "run") as process:
        status, _, errors = ended(process)
    assert status == 2
    assert "Invalid value for '--deny': got 'run', needs a permission like run.jobs" in errors


def test_it_ends_with_its_parent() -> None:
    with greenrun_cloud("--json", "--runtime", "in-process", "--until-stdin-closes") as process:
        addresses(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait(SOON.total_seconds()) == 0


def test_without_an_engine_it_says_so_in_one_line() -> None:
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    with greenrun_cloud("--json", env=nowhere) as process:
        status, told, errors = ended(process)
    assert (status, told) == (1, "")
    (line,) = errors.splitlines()
    assert line.startswith("Error: no Docker engine answers")
    assert "--runtime in-process" in line


def test_a_lag_without_a_unit_is_refused() -> None:
    with greenrun_cloud("--metrics-lag", "180") as process:
        status, _, errors = ended(process)
    assert status == 2
    assert "'180' needs a number and one of ms, s, m, h" in errors


def test_it_serves_programs_without_an_engine() -> None:
    with greenrun_cloud("--json", "--runtime", "in-process") as process:
        serving(addresses(process)["grpc"], "in-process")


@pytest.mark.parametrize("lax", [False, True])
def test_etags_are_as_strict_as_was_asked(*, lax: bool) -> None:
    with greenrun_cloud("--json", "--runtime", "in-process", *["--lax-etags"] * lax) as process:
        told = addresses(process)
        serving(told["grpc"], "in-process")
        stale = {"etag": "stale", "template": {"containers": [{"image": "in-process/echo"}]}}
        answer = httpx.patch(f"{told['rest']}/v2/projects/p/locations/l/services/web", json=stale)
        assert answer.status_code == (200 if lax else 409)


def containers_of(pid: int) -> list[str]:
    engine = docker.from_env()
    with contextlib.closing(engine):
        found = engine.containers.list(all=True, filters={"label": OWNER_LABEL}, sparse=True)
        return [
            str(one.id) for one in found if one.attrs["Labels"][OWNER_LABEL].startswith(f"{pid}-")
        ]


@pytest.mark.docker
def test_it_takes_its_containers_along() -> None:
    with greenrun_cloud("--json") as process:
        service = serving(addresses(process)["grpc"], "docker")
        assert len(containers_of(process.pid)) == 1
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (0, "", "")
        assert containers_of(process.pid) == []
        assert not answers(service.uri)


@pytest.mark.docker
def test_what_a_killed_cloud_left_goes_with_the_next_start() -> None:
    with greenrun_cloud("--json") as killed:
        service = serving(addresses(killed)["grpc"], "docker")
        killed.kill()
        killed.wait()
    assert len(containers_of(killed.pid)) == 1
    wait_until(lambda: not answers(service.uri), SOON, "the ingress to end")
    with greenrun_cloud("--json") as successor:
        addresses(successor)
        assert containers_of(killed.pid) == []
