"""A service of two revisions on a local cloud of its own, whose instances are programs."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from greenrun.adapters.clock import SystemClock
from greenrun.adapters.cloud_logging import CloudLogs
from greenrun.adapters.cloud_monitoring import CloudMetrics
from greenrun.adapters.cloud_run import CloudRun
from greenrun.adapters.docker import DockerBuilder
from greenrun.adapters.google_clients import Endpoints, GoogleClients
from greenrun.adapters.secret_manager import SecretManager
from greenrun.adapters.web import HttpxWeb
from greenrun.domain.plan import BuildPlan, CanaryPlan, Place, Plan
from greenrun.domain.revision import RevisionSettings
from greenrun.domain.service import Service
from greenrun.domain.traffic import Target, TrafficSplit
from greenrun.errors import ReleaseError
from greenrun.ports import NewRevision, Patience, Roles

BASELINE, CANDIDATE = "shop-baseline", "shop-candidate"
IDENTITIES: Mapping[str, Mapping[str, str]] = {"a user": {}}
PLAN = Plan(
    service="shop",
    environment="local",
    place=Place("benchmark", "europe-west1"),
    build=BuildPlan(repository="benchmark/shop"),
    settings=RevisionSettings(),
    public=True,
    canary=CanaryPlan(probe_paths=("/api/health",)),
)
_COMMAND = (
    *("-c", "from greenrun.cli import main; main()"),
    *("cloud", "--json", "--runtime", "in-process", "--until-stdin-closes"),
)
_IMAGE = "in-process/echo"
_PATIENCE = Patience(PLAN.change_within)


class Silence:
    """Evidence that nobody keeps, progress that nobody watches."""

    def attach(self, name: str, content: str | bytes, media_type: str = "text/plain") -> None:
        """Keep nothing."""

    def report(self, text: str) -> None:
        """Tell nobody."""


@dataclass(frozen=True)
class SmallService:
    """The service as it was before the candidate came, and who fills the roles of its release."""

    before: Service
    roles: Roles
    clients: GoogleClients

    def share_evenly(self) -> None:
        """Half of the users to each revision."""
        halves = (Target(BASELINE, 50), Target(CANDIDATE, 50), Target(CANDIDATE, 0, "candidate"))
        self.roles.platform.split_traffic(TrafficSplit(halves), _PATIENCE)


@contextmanager
def small_service() -> Iterator[SmallService]:
    """A local cloud in a process of its own, with both revisions; gone afterwards."""
    with ExitStack() as stack:
        address = stack.enter_context(_cloud())
        clients = stack.enter_context(closing(GoogleClients(Endpoints.all_at(address))))
        roles = _roles(clients, stack.enter_context(closing(HttpxWeb(str))))
        yield SmallService(_deployed(roles), roles, clients)


@contextmanager
def _cloud() -> Iterator[str]:
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, *_COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        out, _ = process.stdout, process.stdin
        yield json.loads(out.readline() if out else "")["grpc"]
        process.communicate()


def _deployed(roles: Roles) -> Service:
    platform, everybody = roles.platform, TrafficSplit.all_to(BASELINE)
    platform.create(NewRevision(BASELINE, _IMAGE, PLAN.settings), _PATIENCE)
    platform.let_all_invoke()
    split = everybody.tagged(CANDIDATE, "candidate")
    platform.deploy(NewRevision(CANDIDATE, _IMAGE, PLAN.settings), split, _PATIENCE)
    before = platform.service()
    if before is None:
        raise ReleaseError(f"{PLAN.service} is gone")
    return before


def _roles(clients: GoogleClients, web: HttpxWeb) -> Roles:
    clock, place, service, silence = SystemClock(), PLAN.place, PLAN.service, Silence()
    return Roles(
        builder=DockerBuilder(Path()),
        platform=CloudRun(clients, place, service, clock),
        logs=CloudLogs(clients, place, service, str),
        metrics=CloudMetrics(clients, place, service, clock),
        vault=SecretManager(clients, place),
        web=web,
        clock=clock,
        evidence=silence,
        progress=silence,
    )
