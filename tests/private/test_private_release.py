"""A release of a service that not everybody may call, with everything that is asked of it.

Users, the cloud and its refusals are real: only the engine and the registry of images are not.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from greenrun.checks import pages, service
from greenrun.checks.http import flow, openapi, verification
from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.checks.http.flow import FLOW
from greenrun.checks.metrics.checks import OwnMetrics
from greenrun.checks.metrics.objectives import FAMILIES
from greenrun.checks.pages import PAGES
from greenrun.model.errors import GateClosed
from greenrun.model.image import Source
from greenrun.model.lease import LeaseHolder
from greenrun.model.objective import Gate
from greenrun.model.plan import BuildPlan, CanaryPlan, Location, Plan, Probe
from greenrun.model.revision import ContainerProbe, RevisionSettings, SecretReference
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from greenrun.release.rehearsal import environment
from greenrun.release.rehearsal.environment import StandIn
from greenrun.release.release import Release
from greenrun.steps.wiring.adapters import Adapters, plant_secrets
from greenrun.steps.wiring.identities import SecretIdentities
from tests.fakes import FakeBuilder, MemoryEvidence, MemoryProgress, MemoryRegistry
from tests.private.shop import IMAGE, REPOSITORY, Visitors, shop

BEFORE = "shop-before"
STRIPPED = ".SIGNATURE_REMOVED_BY_GOOGLE"


@dataclass
class Shop:
    """A release as far as its candidate, what the service was shown, and what is secret."""

    release: Release
    visitors: Visitors
    evidence: MemoryEvidence
    secrets: list[str] = field(repr=False)

    def asked(self, path: str) -> None:
        """Whoever asked there, if somebody, did as everybody has to."""
        shown = self.visitors.shown[path]
        assert {own for _, own in shown} == {f"Bearer {self.secrets[0]}"}
        passes = {each for each, _ in shown}
        if self.release.plan.public:
            assert passes == {None}
        else:
            assert passes
            assert all(each and each.endswith(STRIPPED) for each in passes)
            stripped = {str(each).removesuffix(STRIPPED) for each in passes}
            assert stripped <= {f"Bearer {secret}" for secret in self.secrets}


def plan(*, public: bool) -> Plan:
    return Plan(
        service="shop",
        environment="local",
        place=Location("private", "europe-west1"),
        build=BuildPlan(REPOSITORY, also_latest=False),
        settings=RevisionSettings(
            secrets={"API_TOKEN": SecretReference("api-token", "1")},
            startup_probe=ContainerProbe(
                path="/api/alive", period=timedelta(seconds=1), failure_threshold=10
            ),
        ),
        public=public,
        canary=CanaryPlan(
            (50,),
            alone=True,
            max_duration=timedelta(seconds=20),
            probes_per_second=60,
            probes=(Probe("GET", "/api/health"),),
            max_error_increase=0.15,
            latency_floor=timedelta(milliseconds=500),
        ),
        identities={"a user": {"Authorization": "Bearer {API_TOKEN}"}},
    )


@pytest.fixture(scope="module", params=["private", "public"])
def there(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    folder, visitors = tmp_path_factory.mktemp("shop"), Visitors()
    wanted = plan(public=request.param == "public")
    with (
        LocalCloud(InProcessRuntime({IMAGE: shop(visitors)}), EnvoyIngress()) as cloud,
        closing(Adapters.at_emulator(cloud.grpc, str, cloud.metadata)) as adapters,
    ):
        made = _deployed(wanted, adapters, folder, visitors)
        yield made
        made.release.guard.lock.release()


def _deployed(plan: Plan, adapters: Adapters, folder: Path, visitors: Visitors) -> Shop:
    """As fixtures make a rehearsal, with an engine and a registry in memory."""
    evidence, source = MemoryEvidence(), Source(folder, "c0ffee")
    dependencies = replace(
        adapters.dependencies(plan, source, MemoryProgress()),
        builder=FakeBuilder(),
        registry=MemoryRegistry(),
        evidence=evidence,
    )
    secrets = list(plant_secrets(adapters.clients, plan).values())
    token = adapters.identity_tokens(plan)
    identities = SecretIdentities(plan, adapters.secret_store(plan.place), secrets.append, token)
    journal = Journal(folder / "journal.jsonl", dependencies.clock)
    owner = LeaseHolder("somebody@example.com", "laptop", 4711, "the-run")
    lock = Lock(plan.service, owner, dependencies.leases, dependencies.clock, plan.lease_duration)
    environment.start(plan, dependencies, journal, StandIn(BEFORE, IMAGE))
    guard = ChangeGuard(journal, lock, owner.run, dependencies.progress)
    release = Release(plan, dependencies, guard, identities, source)
    release.acquire_lock()
    release.find_baseline()
    release.build_image()
    release.push_image()
    release.deploy()
    return Shop(release, visitors, evidence, secrets)


def test_endpoints_answer_users_and_a_private_one_nobody_else(there: Shop) -> None:
    release, refusal = there.release, "200" if there.release.plan.public else "403"
    rows = [
        ["request", "as", "status", "body"],
        ["GET /api/health", "", "", "status = ok"],
        ["GET /docs", "nobody", refusal, ""],
    ]
    for url in (release.candidate.url, release.service.url):
        verification.answers(release, url, release.candidate.name, ENDPOINTS.read(rows))
    there.asked("/api/health")


@pytest.mark.parametrize("there", ["private"], indirect=True, scope="module")
def test_who_is_refused_by_the_platform_is_told_so(there: Shop) -> None:
    release = there.release
    rows = ENDPOINTS.read([["request", "as"], ["GET /api/health", "nobody"]])
    with pytest.raises(GateClosed, match="got status 403, needs 200") as closed:
        verification.answers(release, release.candidate.url, release.candidate.name, rows)
    assert "the request was not authenticated" in closed.value.message


def test_a_flow_is_answered(there: Shop) -> None:
    release = there.release
    rows = FLOW.read([["request", "keeps"], ["GET /api/health", "status as health"]])
    flow.is_answered(release, release.candidate.url, release.candidate.name, rows)
    there.asked("/api/health")


def test_a_page_opens_with_what_it_asks_for(there: Shop) -> None:
    release = there.release
    rows = PAGES.read([["page", "shows", "title"], ["/", 'heading "Shop"; #health "ok"', "Shop"]])
    pages.open_well(release, release.candidate.url, rows)
    there.asked("/")


def test_a_message_is_answered(there: Shop) -> None:
    verification.converses(there.release, "/ws", "hello")
    there.asked("/ws")


def test_metrics_are_read(there: Shop) -> None:
    metrics = OwnMetrics(there.release, there.release.candidate.url + "/metrics")
    metrics.have_families(1, FAMILIES.read([["family", "type"], ["sales", "counter"]]))
    there.asked("/metrics")


def test_it_keeps_its_document(there: Shop) -> None:
    openapi.keeps_its_document(there.release, "/openapi.json")
    there.asked("/api/health")


def test_users_are_moved_and_brought_back(there: Shop) -> None:
    release = there.release
    service.reachable(release)
    service.served_by(release, BEFORE)
    (step,) = release.run_canary(Gate(()))
    assert step.share == 50
    assert release.promote() == {release.candidate.name}
    assert release.roll_back()
    assert release.answering() == {BEFORE}
    there.asked("/api/health")


def test_no_token_is_in_the_evidence(there: Shop) -> None:
    told = "\n".join(str(each) for each in there.evidence.kept.values())
    assert told
    assert not [secret for secret in there.secrets if secret in told]
    assert len(there.secrets) == (1 if there.release.plan.public else 3) + 1
