"""Production, as far as a release can tell: a cloud and a registry that it reaches by address."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from google.cloud import run_v2
from google.protobuf import field_mask_pb2

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.emulator import LocalCloud
from greenrun.adapters.gcp.run.from_proto import traffic_of
from greenrun.adapters.machine import SystemClock
from greenrun.config import load_plan
from greenrun.model.image import Source
from greenrun.model.interfaces import Dependencies, Timeout
from greenrun.model.lease import LeaseHolder
from greenrun.model.plan import Plan
from greenrun.model.service import Service
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from greenrun.release.rehearsal import environment
from greenrun.release.rehearsal.environment import StandIn
from greenrun.steps.wiring.adapters import Adapters, plant_secrets
from tests.fakes import MemoryProgress
from tests.rehearsal.project import Project

ENDS_WITHIN = timedelta(minutes=4)
FIRST = "emergence-app-first"
QUICK = ("features/", "--env=prod", "-m", "not drill", "--no-html")
FAULTY = ("features/", "--env=faulty", "-m", "not drill", "--no-html")
SLOW_ENOUGH_TO_PASS_UNTIL_USERS_COME = (
    "slow:/api/dashboard/costs/summary:350ms,slow:/api/dashboard/timeline/costs:350ms"
)
"""An endpoint may take 500 ms; of all requests, half may take 300 ms."""

FIRST_FAULTS = {
    "new-and-stillborn": "crash-at-start",
    "new-and-wrong": "errors:/api/dashboard/costs/summary:100%",
}
"""Environments in which nobody has made a service, and what their candidates suffer from."""

SIBLINGS = ("CLOUD_RUN", "LOGGING", "MONITORING", "SECRET_MANAGER")

Json = dict[str, Any]


@dataclass(frozen=True)
class Production:
    """A service that serves, in a cloud of its own, and the project that releases it."""

    project: Project
    cloud: LocalCloud
    adapters: Adapters
    plan: Plan

    @classmethod
    @contextmanager
    def start(cls, project: Project, cloud: LocalCloud, registry: str) -> Iterator["Production"]:
        """Made once by hand, as people make a service before its first release."""
        _aim(project, registry)
        plan = load_plan(project.folder, "prod")
        with closing(Adapters.at_emulator(cloud.grpc, str)) as adapters:
            plant_secrets(adapters.clients, plan)
            production = cls(project, cloud, adapters, plan)
            with production._created():
                yield production

    def elsewhere(self, environment: str) -> "Production":
        """Another environment of the same cloud, where nobody has made a service."""
        plan = load_plan(self.project.folder, environment)
        plant_secrets(self.adapters.clients, plan)
        return replace(self, plan=plan)

    @property
    def _source(self) -> Source:
        return Source(self.project.folder, "c0ffee")

    @contextmanager
    def _created(self) -> Iterator[None]:
        dependencies = self.dependencies
        image = dependencies.builder.build(self.plan.build, tag="first", watch=print).image
        timeout = Timeout(timedelta(minutes=2))
        manifest = dependencies.registry.push(image, timeout)
        journal = Journal(self.project.folder.with_suffix(".journal"), SystemClock())
        reference = f"{self.plan.build.repository}@{manifest}"
        environment.start(self.plan, dependencies, journal, StandIn(FIRST, reference))
        with ExitStack() as stack:
            stack.callback(environment.remove, self.plan, dependencies, journal)
            yield

    @property
    def dependencies(self) -> Dependencies:
        """As somebody else on another machine has them."""
        return self.adapters.dependencies(self.plan, self._source, MemoryProgress())

    @property
    def service(self) -> Service:
        """What the platform says of it now."""
        found = self.dependencies.platform.service()
        assert found is not None
        return found

    @property
    def serving(self) -> dict[str, int]:
        return self.service.resolved.serving

    def release(self, *options: str) -> "Ended":
        """One run from its beginning to its end."""
        with self.releasing(*options) as run:
            return run.end()

    @contextmanager
    def releasing(self, *options: str) -> Iterator["Run"]:
        """One run under way; killed if it was not waited for."""
        output = self.project.folder.with_suffix(".output")
        earlier = len(self.journal())
        with output.open("wb") as terminal, self._process(options, terminal) as process:
            try:
                yield Run(self, process, output, earlier)
            finally:
                if process.poll() is None:
                    process.kill()

    def _process(self, options: Sequence[str], terminal: IO[bytes]) -> "subprocess.Popen[bytes]":
        ours = ("CI", "BUILD_NUMBER", "COLUMNS", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST")
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        there = {f"{name}_EMULATOR_HOST": self.cloud.grpc for name in SIBLINGS}
        there |= dict.fromkeys(("GCE_METADATA_HOST", "GCE_METADATA_IP"), self.cloud.metadata)
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *(options or QUICK)],
            cwd=self.project.folder,
            env={**kept, **there, "COLUMNS": "80"},
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
        )

    def candidate_of(self, run: "Run") -> str:
        """The candidate that a release had deployed, or was about to."""
        entries = self.journal()[run.earlier :]
        return next(str(one["subject"]) for one in entries if one["action"] == "deploy")

    def older_than(self, revision: str) -> str:
        """The revision that was made before another."""
        names = [one.name for one in self.dependencies.platform.revisions()]
        return names[names.index(revision) + 1]

    def split_by(self, who: str, revision: str, *, tag: str) -> None:
        """Somebody else sends every user to a revision, and gives it a tag of theirs."""
        client = self.adapters.clients.services
        name = f"{self.plan.place.parent}/services/{self.plan.service}"
        split = TrafficSplit((Target(revision, 100), Target(revision, 0, tag)))
        client.update_service(
            service=run_v2.Service(name=name, traffic=traffic_of(split)),
            update_mask=field_mask_pb2.FieldMask(paths=["traffic"]),
            metadata=[("x-goog-authenticated-user-email", who)],
        ).result(timeout=30)  # type: ignore[no-untyped-call]

    @contextmanager
    def locked_by(self, who: str) -> Iterator[Lock]:
        """While somebody on another machine releases the service."""
        dependencies, owner = self.dependencies, LeaseHolder(who, "elsewhere", 1, "a run of theirs")
        within = self.plan.lease_duration
        lock = Lock(self.plan.service, owner, dependencies.leases, dependencies.clock, within)
        lock.acquire(dependencies.progress.report)
        try:
            yield lock
        finally:
            lock.release()

    def scale_by_load(self) -> None:
        """Let the platform choose the number of instances again."""
        self.dependencies.platform.scale_by_load(self.service, Timeout(timedelta(seconds=30)))

    def journal(self) -> list[Json]:
        """Every whole entry of every release to this environment."""
        path = self.project.reports / f"journal-{self.plan.environment}.jsonl"
        lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]


@dataclass(frozen=True)
class Run:
    """A release under way. `earlier` counts the journal's lines of before."""

    production: Production
    process: "subprocess.Popen[bytes]"
    output: Path
    earlier: int

    def end(self) -> "Ended":
        status = self.process.wait(ENDS_WITHIN.total_seconds())
        path = self.production.project.reports / "release.json"
        record = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return Ended(status, self.output.read_text("utf-8"), record)

    def await_entry(self, action: str, state: str = "done") -> None:
        """Until the journal tells of it; the run must not end before."""

        def is_told() -> bool:
            assert self.process.poll() is None, self.output.read_text("utf-8")
            entries = self.production.journal()[self.earlier :]
            return any((one["action"], one["state"]) == (action, state) for one in entries)

        wait_until(is_told, ENDS_WITHIN, f"{action} {state}")

    def sleep(self) -> None:
        """As a laptop that is closed, for longer than its lease lives."""
        self.process.send_signal(signal.SIGSTOP)
        leases, clock = self.production.dependencies.leases, SystemClock()

        def has_lapsed() -> bool:
            lease = leases.all()[0]
            return clock.now() - lease.renewed_at > lease.time_to_live

        wait_until(has_lapsed, ENDS_WITHIN, "a lease that lapsed")
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as the kernel does for want of memory: it hears nothing of it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass(frozen=True)
class Ended:
    """How a release ended, for who started it. `record` is the one for machines."""

    status: int
    output: str
    record: Json


def _aim(project: Project, registry: str) -> None:
    """Production, as small and quick as the rehearsal; and the same with a faulty candidate.

    Projects of their own have no service yet; the candidates of two of them are faulty.
    """
    before = "  prod:\n    project: emergence-469005\n    region: europe-west1\n"
    variables = (project.folder / "env.yaml").read_text("utf-8")
    faulty = f'{variables}FAULTS: "{SLOW_ENOUGH_TO_PASS_UNTIL_USERS_COME}"\n'
    environments = {"prod": variables, "faulty": faulty, "new": variables}
    environments |= {
        name: f'{variables}FAULTS: "{faults}"\n' for name, faults in FIRST_FAULTS.items()
    }
    written = "".join(
        _ENVIRONMENT.format(
            name=name, registry=registry, project=_PROJECTS.get(name, f"project-{name}")
        )
        for name in environments
    )
    project.replace("release.yaml", before, written)
    project.raise_at_once()
    for name, text in environments.items():
        (project.folder / f"env-{name}.yaml").write_text(text, "utf-8")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "as it is released")


_PROJECTS = dict.fromkeys(("prod", "faulty"), "emergence-469005")

_ENVIRONMENT = """\
  {name}:
    project: {project}
    region: europe-west1
    build: {{repository: "{registry}/app/emergence-app"}}
    deploy:
      env-vars-file: env-{name}.yaml
      cpu: 1
      memory: 512Mi
      startup-probe: {{path: /api/health, period: 1s, failure-threshold: 10}}
      log-timeout: 3s
    canary:
      max-duration: 60s
      beta: 20 %
      max-error-increase: 2 %
      latency-floor: 300ms
      probes-per-second: 100
    preflight: {{rehearsal-max-age: 1h, lease-duration: 6s}}
"""
