"""A stranger with the plain google-cloud-run package takes `greenrun cloud` through releases."""

import contextlib
import io
import json
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import docker
import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.protobuf.field_mask_pb2 import FieldMask

from tests.contract.caller import connect_to, result

pytestmark = pytest.mark.docker

GREENRUN = str(Path(sys.executable).with_name("greenrun"))
IMAGE = "greenrun-stranger:test"
PARENT = "projects/stranger/locations/europe-west1"
SERVICE = f"{PARENT}/services/hello"
JOB = f"{PARENT}/jobs/migrate"
LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
PINNED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION

PROGRAM = """
import http.server, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
if sys.argv[1:] == ["migrate"]: print("migrated"); sys.exit(0)
if sys.argv[1:] == ["fail"]: sys.exit("the migration failed")
if os.environ.get("BROKEN"): sys.exit("broken at start")
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(os.environ["K_REVISION"].encode())
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Hello).serve_forever()
"""
DOCKERFILE = """
FROM python:3.11-slim
COPY hello.py /hello.py
ENTRYPOINT ["python3", "/hello.py"]
"""


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name, text in (("Dockerfile", DOCKERFILE), ("hello.py", PROGRAM)):
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    context.seek(0)
    with contextlib.closing(docker.from_env()) as engine:
        engine.images.build(fileobj=context, custom_context=True, tag=IMAGE, rm=True)
        yield IMAGE
        engine.images.remove(IMAGE)


@pytest.fixture(scope="module")
def addresses(image: str) -> Iterator[dict[str, str]]:
    """Of a cloud that has this image to run, and nothing else."""
    assert image
    command = [GREENRUN, "cloud", "--json", "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cloud:
        assert cloud.stdin
        assert cloud.stdout
        yield json.loads(cloud.stdout.readline())
        cloud.stdin.close()
        assert cloud.wait(60) == 0


@pytest.fixture(params=["grpc", "rest"])
def services(
    addresses: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[run_v2.ServicesClient]:
    official = connect_to(
        run_v2.ServicesClient, addresses["grpc"], addresses["rest"], request.param
    )
    with official as services:
        yield services
        with contextlib.suppress(exceptions.NotFound):
            result(services.delete_service(name=SERVICE))


@pytest.fixture(params=["grpc", "rest"])
def jobs(addresses: dict[str, str], request: pytest.FixtureRequest) -> Iterator[run_v2.JobsClient]:
    official = connect_to(run_v2.JobsClient, addresses["grpc"], addresses["rest"], request.param)
    with official as jobs:
        yield jobs
        result(jobs.delete_job(name=JOB))


def template(revision: str, **env: str) -> run_v2.RevisionTemplate:
    variables = [run_v2.EnvVar(name=name, value=value) for name, value in env.items()]
    container = run_v2.Container(image=IMAGE, env=variables)
    return run_v2.RevisionTemplate(revision=f"hello-{revision}", containers=[container])


def pinned(revision: str, percent: int, tag: str = "") -> run_v2.TrafficTarget:
    return run_v2.TrafficTarget(
        type_=PINNED, revision=f"hello-{revision}", percent=percent, tag=tag
    )


def create(services: run_v2.ServicesClient) -> run_v2.Service:
    service = run_v2.Service(
        template=template("one"),
        traffic=[run_v2.TrafficTarget(type_=LATEST, percent=100)],
        invoker_iam_disabled=True,
    )
    operation = services.create_service(parent=PARENT, service=service, service_id="hello")
    created: run_v2.Service = result(operation)
    return created


def deploy(services: run_v2.ServicesClient, revision: str, **env: str) -> run_v2.Service:
    """Without traffic, under the revision tag `candidate`."""
    service = services.get_service(name=SERVICE)
    service.template = template(revision, **env)
    service.traffic = [pinned("one", 100), pinned(revision, 0, tag="candidate")]
    deployed: run_v2.Service = result(services.update_service(service=service))
    return deployed


def route(services: run_v2.ServicesClient, *targets: run_v2.TrafficTarget) -> run_v2.Service:
    wanted = run_v2.Service(name=SERVICE, traffic=targets)
    operation = services.update_service(service=wanted, update_mask=FieldMask(paths=["traffic"]))
    routed: run_v2.Service = result(operation)
    return routed


def answering(url: str, requests: int = 20) -> Counter[str]:
    """How many of so many requests each revision answered."""
    with httpx.Client() as client:
        return Counter(client.get(url).raise_for_status().text for _ in range(requests))


def test_a_release_from_creation_to_promotion_and_back(services: run_v2.ServicesClient) -> None:
    uri = create(services).uri
    assert set(answering(uri)) == {"hello-one"}

    deployed = deploy(services, "two")
    (candidate,) = (status.uri for status in deployed.traffic_statuses if status.tag)
    assert set(answering(uri)) == {"hello-one"}
    assert set(answering(candidate)) == {"hello-two"}

    route(services, pinned("one", 90), pinned("two", 10))
    split = answering(uri, 400)
    assert set(split) == {"hello-one", "hello-two"}
    assert 10 <= split["hello-two"] <= 80  # 40 expected; sigma is 6

    route(services, pinned("two", 100))
    assert set(answering(uri)) == {"hello-two"}

    route(services, pinned("one", 100))
    assert set(answering(uri)) == {"hello-one"}


def test_a_deploy_that_fails_leaves_the_traffic_where_it_was(
    services: run_v2.ServicesClient,
) -> None:
    uri = create(services).uri
    with pytest.raises(exceptions.GoogleAPICallError, match="'hello-two' is not ready"):
        deploy(services, "two", BROKEN="1")
    service = services.get_service(name=SERVICE)
    assert service.terminal_condition.state == run_v2.Condition.State.CONDITION_FAILED
    assert set(answering(uri)) == {"hello-one"}


def test_a_job_runs_and_may_fail(jobs: run_v2.JobsClient) -> None:
    container = run_v2.Container(image=IMAGE, args=["migrate"])
    task = run_v2.TaskTemplate(containers=[container], max_retries=0)
    job = run_v2.Job(template={"template": task})
    result(jobs.create_job(parent=PARENT, job=job, job_id="migrate"))
    execution = result(jobs.run_job(name=JOB))
    assert (execution.succeeded_count, execution.failed_count) == (1, 0)

    failing = {"container_overrides": [{"args": ["fail"]}]}
    with pytest.raises(exceptions.GoogleAPICallError, match="exited with an error"):
        result(jobs.run_job({"name": JOB, "overrides": failing}))
