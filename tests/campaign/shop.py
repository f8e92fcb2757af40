"""A service in production as a campaign has it: small, quick, and with users to be kept happy."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from google.cloud import secretmanager_v1 as secret_manager

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from greenrun.adapters.gcp.access import GoogleAccess
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.logs import CloudLogs
from greenrun.adapters.gcp.monitoring.metrics import CloudMetrics
from greenrun.adapters.gcp.run.leases import CloudRunLeases
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.gcp.secret_manager import SecretManager
from greenrun.adapters.http.web import HttpWeb
from greenrun.adapters.machine import SystemClock
from greenrun.model.image import Build, Image, Source
from greenrun.model.interfaces import Dependencies, NewRevision, Timeout
from greenrun.model.lease import LeaseHolder
from greenrun.model.plan import BuildPlan, CanaryPlan, Location, MigrationPlan, Plan, Probe
from greenrun.model.revision import ContainerProbe, RevisionSettings, SecretReference
from greenrun.model.service import Service
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from greenrun.release.release import Release
from tests.campaign.programs import HEALTHY, MIGRATE, REGISTRY, deployable, reference
from tests.dependencies import fake_roles
from tests.fakes import MemoryEvidence, MemoryProgress, MemoryRegistry
from tests.fakes.images import IMAGE_ID, MANIFEST

PLACE = Location("campaign", "europe-west1")
SERVICE, TAG = "shop", "stable"
OLDER, BEFORE = "shop-older", "shop-before"
FIRST_SPLIT = TrafficSplit((Target(BEFORE, 100), Target(OLDER, 0, TAG)))

_PATIENCE = Timeout(timedelta(seconds=60))
_IDENTITIES = {"a user": {"X-User": "somebody"}, "nobody": {}}


@dataclass(frozen=True)
class Shop:
    """The service `shop` in a cloud of its own: `shop-before` serves everybody, pinned by name.

    `folder` keeps the journal, `registry` the images. Whatever happens to it, `reading`,
    `release_state` and `answering` tell how it stands, by connections of their own.
    """

    address: str
    folder: Path
    clients: GoogleClients
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)

    @classmethod
    @contextmanager
    def at(cls, address: str, folder: Path) -> Iterator["Shop"]:
        """The shop of a cloud, open or not."""
        with closing(GoogleClients(Endpoints.all_at(address))) as clients:
            shop = cls(address, folder, clients)
            shop.registry.ids[MANIFEST] = IMAGE_ID
            yield shop

    @classmethod
    @contextmanager
    def opened(cls, *, strict_etags: bool = True) -> Iterator[tuple[LocalCloud, "Shop"]]:
        """A new cloud with a new shop, gone at the end."""
        runtime, ingress = InProcessRuntime(deployable()), EnvoyIngress()
        with (
            TemporaryDirectory(prefix="greenrun-campaign-") as folder,
            LocalCloud(runtime, ingress, strict_etags=strict_etags) as cloud,
            cls.at(cloud.grpc, Path(folder)) as shop,
        ):
            shop.open()
            cloud.calls.clear()
            yield cloud, shop

    @property
    def platform(self) -> CloudRun:
        """New each time, so that it remembers no reading of before."""
        return CloudRun(self.clients, PLACE, SERVICE, SystemClock())

    @property
    def leases(self) -> CloudRunLeases:
        return CloudRunLeases(self.clients, PLACE, SERVICE, lambda: reference(HEALTHY))

    @property
    def reading(self) -> Service:
        found = self.platform.service()
        assert found is not None
        return found

    def answering(self, requests: int = 5) -> set[str]:
        """The revisions that users reach; an answer that is none, or an error, is told as it is."""
        url = f"{self.reading.url}/api/health"
        with httpx.Client(trust_env=False, timeout=10) as users:
            return {_answered(users.get(url)) for _ in range(requests)}

    def plan(self, kind: str = HEALTHY) -> Plan:
        """A candidate of this kind, with everything in it as short as it can be."""
        return Plan(
            service=SERVICE,
            environment="prod",
            place=PLACE,
            build=BuildPlan(f"{REGISTRY}/{kind}", also_latest=False),
            settings=self._settings,
            public=True,
            ready_timeout=timedelta(seconds=6),
            traffic_timeout=timedelta(seconds=4),
            log_timeout=timedelta(seconds=3),
            migration=_migration(),
            canary=_canary(),
            lease_duration=timedelta(seconds=3),
        )

    @property
    def lapsed(self) -> bool:
        """Whether nobody's claim has a beat that is young enough."""
        last = next(iter(self.leases.all()), None)
        if last is None or not last.held:
            return True
        return SystemClock().now() - last.renewed_at >= last.time_to_live

    @contextmanager
    def releasing(
        self,
        run: str,
        kind: str = HEALTHY,
        journal: Journal | None = None,
        chosen: Callable[[Dependencies], Dependencies] = lambda ours: ours,
    ) -> Iterator[Release]:
        """A release with connections of its own: at the end it is as dead as its process would be.

        Its lock's heart stops with them, where nobody has let go of it. `chosen` puts a test's own
        in the place of what a release depends on.
        """
        plan = self.plan(kind)
        with (
            closing(GoogleClients(Endpoints.all_at(self.address))) as clients,
            closing(HttpWeb(str, within=timedelta(seconds=5))) as web,
        ):
            dependencies = chosen(self._dependencies(clients, web, plan))
            owner = LeaseHolder(f"{run}@example.com", "a-host", 1, run)
            lock = Lock(
                SERVICE, owner, dependencies.leases, dependencies.clock, plan.lease_duration
            )
            guard = ChangeGuard(journal or self.journal(), lock, run, dependencies.progress)
            source = Source(self.folder, "c0ffee")
            release = Release(plan, dependencies, guard, _IDENTITIES, source)
            image = Image(plan.build.repository, run, IMAGE_ID, 10**8, "amd64")
            release.adopt(Build(image, timedelta(seconds=1), "built"))
            yield release

    def journal(self) -> Journal:
        return Journal(self.folder / "journal.jsonl", SystemClock())

    def open(self) -> None:
        """As people make a service before its first release."""
        self._plant_secret()
        image, platform = reference(HEALTHY), self.platform
        older, before = (NewRevision(name, image, self._settings) for name in (OLDER, BEFORE))
        platform.create(older, _PATIENCE)
        platform.let_all_invoke()
        platform.deploy(before, FIRST_SPLIT, self.reading, _PATIENCE)

    @property
    def _settings(self) -> RevisionSettings:
        return RevisionSettings(
            variables={"FAIL_PERCENT": "25"},
            secrets={"API_TOKEN": SecretReference("api-token", "1")},
            startup_probe=ContainerProbe(
                path="/api/health", period=timedelta(seconds=1), failure_threshold=5
            ),
        )

    def _plant_secret(self) -> None:
        parent = f"projects/{PLACE.project}"
        secret = secret_manager.Secret(replication={"automatic": {}})
        secrets = self.clients.secrets
        secrets.create_secret(parent=parent, secret_id="api-token", secret=secret)
        payload = secret_manager.SecretPayload(data=b"of no worth")
        secrets.add_secret_version(parent=f"{parent}/secrets/api-token", payload=payload)

    def _dependencies(self, clients: GoogleClients, web: HttpWeb, plan: Plan) -> Dependencies:
        clock, place = SystemClock(), plan.place
        return fake_roles(
            SERVICE,
            registry=self.registry,
            platform=CloudRun(clients, place, SERVICE, clock),
            leases=CloudRunLeases(clients, place, SERVICE, lambda: reference(HEALTHY)),
            access=GoogleAccess(clients, place),
            logs=CloudLogs(clients, place, SERVICE, str),
            metrics=CloudMetrics(clients, place, SERVICE, clock),
            secret_store=SecretManager(clients, place),
            web=web,
            clock=clock,
            evidence=MemoryEvidence(),
            progress=MemoryProgress(),
        )


def _migration() -> MigrationPlan:
    status, apply, check = ((MIGRATE, word) for word in ("status", "apply", "check"))
    return MigrationPlan(status, apply, check, within=timedelta(seconds=6))


def _canary() -> CanaryPlan:
    """Soon sure: what fails here fails often, and a busy machine is nobody's fault."""
    return CanaryPlan(
        steps=(30, 60),
        alone=True,
        max_duration=timedelta(seconds=30),
        probes_per_second=60,
        probes=(Probe("GET", "/api/health"),),
        max_error_increase=0.15,
        latency_floor=timedelta(milliseconds=500),
    )


def _answered(answer: httpx.Response) -> str:
    return str(answer.json()["revision"]) if answer.status_code == 200 else str(answer.status_code)
