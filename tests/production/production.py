"""Production, as far as a release can tell: a cloud and a registry that it reaches by address."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from fixtures.reach import Reach, plant_secrets
from greenrun import rehearsal
from greenrun.adapters.clock import SystemClock
from greenrun.domain.plan import Plan
from greenrun.domain.service import Service
from greenrun.domain.source import Source
from greenrun.journal import Journal
from greenrun.local_cloud.cloud import LocalCloud
from greenrun.local_cloud.waiting import until
from greenrun.ports import Patience, Roles
from greenrun.rehearsal import StandIn
from greenrun.settings import load_plan
from tests.fakes import MemoryProgress
from tests.rehearsal.project import Project

ENDS_WITHIN = timedelta(minutes=4)
FIRST = "emergence-app-first"
NO_DRILLS = ("features/", "--env=prod", "-m", "not drill", "--no-html")
SIBLINGS = ("CLOUD_RUN", "LOGGING", "MONITORING", "SECRET_MANAGER")

Json = dict[str, Any]


@dataclass(frozen=True)
class Production:
    """A service that serves, in a cloud of its own, and the project that releases it."""

    project: Project
    cloud: LocalCloud
    reach: Reach
    plan: Plan

    @classmethod
    @contextmanager
    def start(cls, project: Project, cloud: LocalCloud, registry: str) -> Iterator["Production"]:
        """Made once by hand, as people make a service before its first release."""
        _aim(project, registry)
        plan = load_plan(project.folder, "prod")
        with closing(Reach.at(cloud.grpc, str)) as reach:
            plant_secrets(reach.clients, plan)
            production = cls(project, cloud, reach, plan)
            with production._created():
                yield production

    @property
    def _source(self) -> Source:
        return Source(self.project.folder, "c0ffee")

    @contextmanager
    def _created(self) -> Iterator[None]:
        roles = self.roles
        image = roles.builder.build(self.plan.build, tag="first", watch=print).image
        patience = Patience(timedelta(minutes=2))
        manifest = roles.registry.push(image, patience)
        journal = Journal(self.project.folder.with_suffix(".journal"), SystemClock())
        reference = f"{self.plan.build.repository}@{manifest}"
        rehearsal.start(self.plan, roles, journal, StandIn(FIRST, reference))
        with ExitStack() as stack:
            stack.callback(rehearsal.remove, self.plan, roles, journal)
            yield

    @property
    def roles(self) -> Roles:
        """As somebody else on another machine has them."""
        return self.reach.roles(self.plan, self._source, MemoryProgress())

    @property
    def service(self) -> Service:
        """What the platform says of it now."""
        found = self.roles.platform.service()
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

    def _process(self, options: Sequence[str], terminal: Any) -> "subprocess.Popen[bytes]":
        ours = ("CI", "BUILD_NUMBER", "COLUMNS", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST")
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        there = {f"{name}_EMULATOR_HOST": self.cloud.grpc for name in SIBLINGS}
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *(options or NO_DRILLS)],
            cwd=self.project.folder,
            env={**kept, **there, "COLUMNS": "80"},
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
        )

    def set(self, variable: str, value: str) -> None:
        """A variable that production alone has, and the rehearsal does not; committed."""
        with (self.project.folder / "env-prod.yaml").open("a", encoding="utf-8") as file:
            file.write(f'{variable}: "{value}"\n')

    def journal(self) -> list[Json]:
        """Every whole entry of every release to production."""
        path = self.project.reports / "journal-prod.jsonl"
        lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def record(self) -> Json:
        """The record for machines."""
        record: Json = json.loads((self.project.reports / "release.json").read_text("utf-8"))
        return record


@dataclass(frozen=True)
class Run:
    """A release under way. `earlier` counts the journal's lines of before."""

    production: Production
    process: "subprocess.Popen[bytes]"
    output: Path
    earlier: int

    def end(self) -> "Ended":
        status = self.process.wait(ENDS_WITHIN.total_seconds())
        return Ended(status, self.output.read_text("utf-8"))

    def await_entry(self, action: str, state: str = "done") -> None:
        """Until the journal tells of it; the run must not end before."""

        def is_told() -> bool:
            assert self.process.poll() is None, self.output.read_text("utf-8")
            entries = self.production.journal()[self.earlier :]
            return any((one["action"], one["state"]) == (action, state) for one in entries)

        until(is_told, ENDS_WITHIN, f"{action} {state}")

    def kill(self) -> None:
        """End it as the kernel does for want of memory: it hears nothing of it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass(frozen=True)
class Ended:
    """How a release ended, for who started it."""

    status: int
    output: str


def _aim(project: Project, registry: str) -> None:
    """The environment `prod` of these tests: as small and quick as the rehearsal's."""
    project.replace(
        "release.yaml",
        "  prod:\n    project: emergence-469005\n    region: europe-west1\n",
        f"""\
  prod:
    project: emergence-469005
    region: europe-west1
    build: {{repository: "{registry}/app/emergence-app"}}
    deploy:
      env-vars-file: env-prod.yaml
      cpu: 1
      memory: 512Mi
      startup-probe: {{path: /api/health, period: 1s, failure-threshold: 10}}
      log-within: 3s
    canary: {{bake: 3s, fewest-requests: 10, probes-per-second: 200}}
    preflight: {{reuse-rehearsal-within: 1h, lock-time-to-live: 6s}}
""",
    )
    variables = (project.folder / "env.yaml").read_text("utf-8")
    (project.folder / "env-prod.yaml").write_text(variables, "utf-8")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "as it is released")
