"""`greenrun init --from-service`: every live setting is written out, and no secret."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.cloud import run_v2
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from ruamel.yaml import YAML

from tests.command_line.conftest import Greenrun
from tests.contract.programs import program

ASKED = ("--from-service", "shop", "--project", "shop-123", "--region", "europe-west1")
KEY = "abcdefgh12345"


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    """Where a cloud with one service is."""
    command = [sys.executable, "-m", "greenrun_cli", "cloud", "--json", "--runtime", "in-process"]
    with subprocess.Popen(
        [*command, "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as cloud:
        assert cloud.stdout is not None
        assert cloud.stdin is not None
        told = json.loads(cloud.stdout.readline())
        make_shop(told["grpc"])
        apis = ("CLOUD_RUN", "LOGGING", "MONITORING", "SECRET_MANAGER")
        yield {f"{api}_EMULATOR_HOST": told["grpc"] for api in apis}
        cloud.stdin.close()


def make_shop(address: str) -> None:
    container = program("in-process", "echo")
    container.env = [
        run_v2.EnvVar(name="LOG_LEVEL", value="info"),
        run_v2.EnvVar(name="STRIPE_API_KEY", value=KEY),
    ]
    container.resources.limits = {"cpu": "2", "memory": "1Gi"}
    template = run_v2.RevisionTemplate(
        containers=[container],
        max_instance_request_concurrency=33,
        scaling={"min_instance_count": 1, "max_instance_count": 7},
        timeout={"seconds": 120},
        session_affinity=True,
    )
    with grpc.insecure_channel(address) as channel:
        client = run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=channel))
        client.create_service(
            parent="projects/shop-123/locations/europe-west1",
            service=run_v2.Service(template=template),
            service_id="shop",
        ).result(timeout=60)  # type: ignore[no-untyped-call]


def test_every_live_setting_is_written_out(
    tmp_path: Path, greenrun: Greenrun, variables: dict[str, str]
) -> None:
    (tmp_path / "Dockerfile").write_text('FROM scratch\nEXPOSE 8080\nCMD ["x"]\n')

    ended = greenrun("init", "--no-observe", *ASKED, **variables)

    assert ended.returncode == 0, ended.stderr
    release = YAML(typ="safe", pure=True).load((tmp_path / "release.yaml").read_text())
    wanted = {
        "allow-unauthenticated": False,
        "timeout": "2m",
        "cpu": 2,
        "memory": "1Gi",
        "port": 8080,
        "concurrency": 33,
        "min-instances": 1,
        "max-instances": 7,
        "session-affinity": True,
        "update-secrets": {"STRIPE_API_KEY": "STRIPE_API_KEY:latest"},
    }
    assert wanted.items() <= release["deploy"].items()
    assert release["service"] == "shop"
    assert release["environments"]["prod"] == {"project": "shop-123", "region": "europe-west1"}
    assert 'LOG_LEVEL: "info"\n' in (tmp_path / "env.yaml").read_text()
    assert greenrun("check").returncode == 0


def test_the_value_of_a_secret_is_nowhere(
    tmp_path: Path, greenrun: Greenrun, variables: dict[str, str]
) -> None:
    (tmp_path / "Dockerfile").write_text('FROM scratch\nCMD ["x"]\n')

    ended = greenrun("init", "--no-observe", *ASKED, **variables)

    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert KEY not in "".join([*written, ended.stdout, ended.stderr])
    assert "STRIPE_API_KEY: looks like a secret, and was not taken over" in ended.stderr


def test_a_service_that_is_not_there_is_told(
    tmp_path: Path, greenrun: Greenrun, variables: dict[str, str]
) -> None:
    ended = greenrun("init", "--no-observe", *("--from-service", "nosuch"), *ASKED[2:], **variables)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert (
        "nothing was written: could not read nosuch: got no such service in europe-west1 of "
        "shop-123"
    ) in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_service_without_its_place_is_refused(greenrun: Greenrun) -> None:
    ended = greenrun("init", "--from-service", "shop")

    assert ended.returncode == 2
    assert "--from-service, --project and --region need each other" in ended.stderr
