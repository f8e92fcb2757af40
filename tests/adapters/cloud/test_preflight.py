"""Preflight with adapters that really ask: nothing remote is changed, and everything is found."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from google.cloud import run_v2

from cloudrun_emulator.emulator import LocalCloud
from greenrun.adapters.docker.builder import DockerBuilder
from greenrun.adapters.gcp.access import GoogleAccess
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.gcp.secret_manager import SecretManager
from greenrun.adapters.git import Git
from greenrun.adapters.machine import SystemCommands
from greenrun.adapters.secrets.scan import DetectSecrets
from greenrun.model.image import Source
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import Location, Plan, PreflightPlan
from greenrun.model.revision import SecretReference
from greenrun.release.preflight import checks
from tests.adapters.cloud.candidates import Watcher, revision
from tests.conftest import World
from tests.fakes import MANIFEST
from tests.release.preflight.conftest import context_of

ADA = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
FILES = {
    "Dockerfile": "FROM scratch\nCOPY app app\nEXPOSE 8080\nCMD app\n",
    "app/main.py": "print('shop')\n",
    "env.yaml": 'LOG_LEVEL: "INFO"\n',
    "release.yaml": "service: web\n",
}


class EnginelessBuilder(DockerBuilder):
    """What is built is looked at, and no engine is asked."""

    def engine(self) -> str:
        return "20.10.24"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", folder, *ADA, *arguments], check=True, capture_output=True)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A checkout of main, in step with its remote."""
    remote, directory = tmp_path / "remote", tmp_path / "shop"
    for name, text in FILES.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    git(tmp_path, "init", "--quiet", "--bare", str(remote))
    git(directory, "init", "--quiet", "--initial-branch=main")
    git(directory, "remote", "add", "origin", str(remote))
    git(directory, "add", ".")
    git(directory, "commit", "--quiet", "--no-verify", "-m", "Add the shop")
    git(directory, "push", "--quiet", "origin", "main")
    return directory


@pytest.fixture
def plan(plan: Plan, place: Location) -> Plan:
    gates = {"tests": ("sh", "-c", "echo 12 passed in 0.10s")}
    preflight = PreflightPlan(branch="main", quality_gates=gates)
    canary = replace(plan.canary, probes_per_second=100)
    prod = replace(plan, service="web", environment="prod", place=place, canary=canary)
    return replace(prod, preflight=preflight)


@pytest.fixture
def dependencies(
    world: World, platform: CloudRun, clients: GoogleClients, plan: Plan, directory: Path
) -> Dependencies:
    """The service serves by one revision, whose image the registry holds."""
    platform.create(revision("baseline"), Watcher().timeout)
    world.registry.held["in-process/echo:latest"] = MANIFEST
    return replace(
        world.dependencies,
        platform=platform,
        access=GoogleAccess(clients, plan.place),
        secret_store=SecretManager(clients, plan.place),
        source_control=Git(directory),
        commands=SystemCommands(directory),
        scanner=DetectSecrets(directory),
        builder=EnginelessBuilder(directory),
    )


def test_nothing_is_found_and_nothing_is_changed(
    plan: Plan, dependencies: Dependencies, directory: Path, cloud: LocalCloud, world: World
) -> None:
    cloud.calls.clear()
    assert (
        checks.find_problems(
            tuple(checks.KNOWN), context_of(plan, dependencies, Source(directory, ""))
        )
        == ()
    )
    assert cloud.calls.changes() == []
    measured = str(world.evidence.kept["preflight"])
    assert "account: nobody (emulator)" in measured
    assert "(12 passed in 0.10s)" in measured
    assert "baseline: web-baseline at 100 %, in-process/echo" in measured


def test_a_disabled_default_url_is_one_finding(
    plan: Plan, dependencies: Dependencies, directory: Path, clients: GoogleClients
) -> None:
    service = run_v2.Service(name=f"{plan.place.parent}/services/web", default_uri_disabled=True)
    request = run_v2.UpdateServiceRequest(
        service=service, update_mask={"paths": ["default_uri_disabled"]}
    )
    clients.services.update_service(request).result(timeout=10)  # type: ignore[no-untyped-call] # bare there
    context = context_of(plan, dependencies, Source(directory, ""))
    found = checks.find_problems(tuple(checks.KNOWN), context)
    assert [str(problem).partition(":")[0] for problem in found] == ["URL of web"]


def test_everything_is_found_at_once(
    plan: Plan, dependencies: Dependencies, directory: Path, cloud: LocalCloud, world: World
) -> None:
    (directory / "app" / "main.py").write_text('api_key = "' + 'Zq83mXw1T"\n')
    (directory / "Dockerfile").unlink()
    world.registry.held.clear()
    failing = PreflightPlan("main", "upstream", ("8f14e45",), {"tests": ("false",)})
    settings = replace(plan.settings, secrets={"KEY": SecretReference("key", "3")})
    doubtful = replace(plan, preflight=failing, settings=settings)
    cloud.permissions.deny("run.jobs.create")
    cloud.calls.clear()
    source = Source(directory, "")
    found = checks.find_problems(tuple(checks.KNOWN), context_of(doubtful, dependencies, source))
    cloud.permissions.grant("run.jobs.create")
    assert cloud.calls.changes() == []
    assert [str(problem).partition(": ")[0] for problem in found] == [
        "Dockerfile",
        "secret",
        "secret version",
        "tree",
        "the tree is clean, on its branch and in step with its remote",
        "commit 8f14e45",
        "quality gate tests",
        "permission run.jobs.create",
        "image of web-baseline",
    ]
