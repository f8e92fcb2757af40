"""A service in a repository of its own, released as its owner would: by `pytest features/`."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import docker
from ruamel.yaml import YAML

from cloudrun_emulator.emulator import LocalCloud
from tests.production.production import SIBLINGS

HERE = Path(__file__).parent
ENDS_WITHIN = timedelta(minutes=4)
QUICK = {"max-duration": "2m", "beta": "20 %", "max-error-increase": "10 %"}
"""As much as tells that a canary was performed: how sure it is, others tests tell."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Adopter:
    """The folder of a service."""

    folder: Path

    @classmethod
    def of(cls, kind: str, folder: Path, registry: str) -> "Adopter":
        """A copy of the service, with a registry that can be reached."""
        shutil.copytree(HERE / kind, folder)
        (folder / ".gitignore").write_text("reports/\nbuild_tag.txt\ndocs/\n__pycache__/\n")
        (folder / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")
        adopter, there = cls(folder), {"repository": f"{registry}/services/{kind}"}
        prod = {**adopter.settings["environments"]["prod"], "build": there}
        adopter.say({"prod": prod}, build={"repository": f"greenrun-test-{token_hex(4)}/{kind}"})
        adopter.git("init", "--quiet")
        return adopter

    @property
    def repositories(self) -> tuple[str, str]:
        """Where its images are, on this machine and in production."""
        settings = self.settings
        here, there = settings["build"], settings["environments"]["prod"]["build"]
        return str(here["repository"]), str(there["repository"])

    @property
    def settings(self) -> Json:
        """What release.yaml says."""
        found: Json = YAML(typ="safe", pure=True).load(self.folder / "release.yaml")
        return found

    def say(self, environments: Json, **others: object) -> None:
        """Add to what release.yaml says."""
        settings = self.settings
        settings = {**settings, **others}
        settings["environments"] = {**settings["environments"], **environments}
        YAML(typ="safe", pure=True).dump(settings, self.folder / "release.yaml")

    def be_quick(self) -> None:
        """Have each canary decided by few requests; in the cloud, by our own."""
        local, prod = (self.settings["environments"][name] for name in ("local", "prod"))
        self.say(
            {
                "local": {**local, "canary": QUICK},
                "prod": {**prod, "canary": {**QUICK, "probes-per-second": 60}},
            },
            preflight={"rehearsal-max-age": "1h"},
        )

    def git(self, *arguments: str) -> None:
        author = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
        subprocess.run(["git", *author, *arguments], cwd=self.folder, check=True)

    def release(self, *options: str, cloud: LocalCloud | None = None) -> "Ended":
        """One run from its beginning to its end, of what stands in the folder now."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "as it is released")
        there = {f"{name}_EMULATOR_HOST": cloud.grpc for name in SIBLINGS} if cloud else {}
        metadata = {"GCE_METADATA_HOST": cloud.metadata} if cloud else {}
        ours = ("CI", "COLUMNS", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER")
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "features/", "--no-html", *options],
            cwd=self.folder,
            env={**kept, **there, **metadata, "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=ENDS_WITHIN.total_seconds(),
            check=False,
        )
        return Ended(run.returncode, run.stdout, self._record())

    def _record(self) -> Json:
        path = self.folder / "reports" / "release.json"
        record: Json = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return record


@dataclass(frozen=True)
class Ended:
    """How a run ended. `record` is the one for machines."""

    status: int
    output: str
    record: Json


def remove_images(repositories: Iterable[str]) -> None:
    """Remove what was built, once nothing runs of it any more."""
    with closing(docker.from_env()) as engine:
        for repository in repositories:
            for image in engine.images.list(repository):
                for tag in image.tags:
                    if tag.startswith(f"{repository}:"):
                        engine.images.remove(tag)
