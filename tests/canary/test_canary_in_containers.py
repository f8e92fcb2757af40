"""Real containers: a candidate that eats its memory is taken back, one that does not is not."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

import docker
import pytest

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.docker import DockerRuntime
from greenrun.adapters.docker.builder import DockerBuilder
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.logs import CloudLogs
from greenrun.adapters.gcp.monitoring.metrics import CloudMetrics
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.http.web import HttpWeb
from greenrun.adapters.machine import SystemClock
from greenrun.model.errors import GateClosed
from greenrun.model.image import Build, Source
from greenrun.model.interfaces import Dependencies
from greenrun.model.lease import LeaseHolder
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import BuildPlan, CanaryPlan, Location, Plan
from greenrun.model.revision import ContainerProbe, RevisionSettings
from greenrun.model.stats import Outcome
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from greenrun.release.rehearsal import environment
from greenrun.release.rehearsal.environment import StandIn
from greenrun.release.release import Release
from tests.dependencies import fake_roles

pytestmark = pytest.mark.docker

BASELINE = "shop-baseline"
OBJECTIVES = Gate((Threshold("memory", "at most", Quantity(90, "%")),))
MOST_OF_IT = "112"
"""MiB of 128; the interpreter comes on top."""

DOCKERFILE = """\
FROM python:3.11-slim
COPY shop.py /
CMD ["python3", "/shop.py"]
"""
SHOP = """\
import http.server, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
held = b"x" * (int(os.environ["HELD_MIB"]) * 2**20)
class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Shop).serve_forever()
"""


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A candidate that is soon sure of all but its memory."""
    return Plan(
        service="shop",
        environment="local",
        place=Location("full", "europe-west1"),
        build=BuildPlan(f"greenrun-test-{token_hex(4)}/shop", also_latest=False),
        settings=RevisionSettings(
            variables={"HELD_MIB": "1"},
            memory="128Mi",
            startup_probe=ContainerProbe(
                path="/", period=timedelta(seconds=1), failure_threshold=10
            ),
        ),
        public=True,
        canary=CanaryPlan(
            (50,),
            max_duration=timedelta(seconds=30),
            probes_per_second=60,
            max_error_increase=0.15,
            latency_floor=timedelta(milliseconds=500),
            alone=True,
        ),
    )


@pytest.fixture(scope="module")
def build(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "shop.py").write_text(SHOP)
    made = DockerBuilder(folder).build(plan.build, tag="one", watch=print)
    yield made
    with closing(docker.from_env()) as engine:
        engine.images.remove(f"{plan.build.repository}:one")


@pytest.fixture(scope="module")
def dependencies(plan: Plan) -> Iterator[Dependencies]:
    """A cloud of real containers, as a release reaches it."""
    clock, service = SystemClock(), plan.service
    with (
        LocalCloud(DockerRuntime(), EnvoyIngress()) as cloud,
        closing(GoogleClients(Endpoints.all_at(cloud.grpc))) as clients,
        closing(HttpWeb(str)) as web,
    ):
        yield fake_roles(
            service,
            platform=CloudRun(clients, plan.place, service, clock),
            logs=CloudLogs(clients, plan.place, service, str),
            metrics=CloudMetrics(clients, plan.place, service, clock),
            web=web,
            clock=clock,
        )


@pytest.fixture
def release(
    plan: Plan, dependencies: Dependencies, build: Build, tmp_path: Path
) -> Iterator[Release]:
    """The baseline serves everybody, in little of its memory."""
    journal = Journal(tmp_path / "journal.jsonl", dependencies.clock)
    owner = LeaseHolder("somebody@example.com", "laptop", 4711, "the-run")
    lock = Lock(plan.service, owner, dependencies.leases, dependencies.clock, plan.lease_duration)
    environment.start(plan, dependencies, journal, StandIn(BASELINE, build.image.reference))
    guard = ChangeGuard(journal, lock, owner.run, dependencies.progress)
    release = Release(plan, dependencies, guard, {"a user": {}}, Source(tmp_path, "c0ffee"))
    release.acquire_lock()
    release.find_baseline()
    release.adopt(build)
    yield release
    lock.release()
    environment.remove(plan, dependencies, journal)


def test_one_that_eats_its_memory_is_taken_back(release: Release) -> None:
    full = replace(release.plan.settings, variables={"HELD_MIB": MOST_OF_IT})
    release.plan = replace(release.plan, settings=full)
    release.deploy()
    with pytest.raises(
        GateClosed, match=r"the candidate used 9\S+ % of its memory, needs at most 90 %"
    ):
        release.run_canary(OBJECTIVES)
    release.roll_back()
    assert release.answering() == {BASELINE}


def test_one_that_keeps_within_it_passes(release: Release) -> None:
    release.deploy()
    (step,) = release.run_canary(OBJECTIVES)
    (used,) = step.peaks
    assert used.candidate is not None
    assert used.baseline is not None
    assert (step.outcome, used.outcome) == (Outcome.PASS, Outcome.PASS)
    assert 0 < used.candidate.value < 60 > used.baseline.value > 0
