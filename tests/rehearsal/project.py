"""A copy of the released parts, which a test may break and rehearse as a user does."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.runtime.cleanup import Owner

ROOT = Path(__file__).parents[2]
RELEASED = (
    *("features", "steps", "fixtures", "app"),
    *("conftest.py", "pytest.ini", "Dockerfile", "release.yaml", "env.yaml"),
    *(".dockerignore", ".gitignore"),
)
LATENCIES = {
    "features/05-endpoints.feature": ("20       | 100 ms",),
    "features/06-canary.feature": (
        "p50 latency | 300 ms",
        "p95 latency | 800 ms",
        "p99 latency | 2000 ms",
    ),
}
"""Of small services on a machine of their own."""
STOPPING = """
from pytest_bdd import then


@then("a gate closes")
def _():
    from greenrun.model.errors import GateClosed

    raise GateClosed("that is enough")
"""
QUICK = ("features/", "-m", "not drill", "--no-html")

BEGINS_WITHIN = timedelta(seconds=60)
ENDS_WITHIN = timedelta(minutes=3)

Json = dict[str, Any]


@dataclass(frozen=True)
class Project:
    """A folder and a git repository of its own, with its own journal and image repository."""

    folder: Path

    @classmethod
    def new(cls, folder: Path, repository: str) -> "Project":
        """The released parts as they stand in this tree; nothing was rehearsed there yet."""
        folder.mkdir(parents=True)
        for name in RELEASED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, folder / name)
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
        project = cls(folder)
        project.git("init", "--quiet")
        project.allow_for_a_busy_machine()
        project.replace(
            "release.yaml",
            "europe-west1-docker.pkg.dev/emergence-469005/app/emergence-app",
            repository,
        )
        return project

    def branch(self, folder: Path) -> "Project":
        """Another copy, which remembers what was rehearsed here."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def replace(self, path: str, old: str, new: str) -> None:
        """Change one passage of a file, which must stand there once."""
        text = (self.folder / path).read_text("utf-8")
        assert text.count(old) == 1, f"{path}: {old!r} stands there {text.count(old)} times"
        (self.folder / path).write_text(text.replace(old, new), "utf-8")

    def allow_for_a_busy_machine(self) -> None:
        """Multiply limits of latency by ten: other tests run beside a rehearsal."""
        for path, limits in LATENCIES.items():
            for limit in limits:
                self.replace(path, f"| {limit} ", f"| {limit.replace(' ms', '0 ms')} ")

    def raise_at_once(self) -> None:
        """Give the candidate half of the users in one step."""
        self.replace("release.yaml", "steps: [10, 50]", "steps: [50]")

    def append(self, path: str, text: str) -> None:
        with (self.folder / path).open("a", encoding="utf-8") as file:
            file.write(text)

    def git(self, *arguments: str) -> None:
        author = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
        subprocess.run(["git", *author, *arguments], cwd=self.folder, check=True)

    def rehearse(self, *options: str) -> "Ended":
        """One run from its beginning to its end."""
        with self.rehearsing(*options) as run:
            return run.end()

    def begin(self) -> "Ended":
        """One run that is stopped as soon as it has found its baseline."""
        self.append("conftest.py", STOPPING)
        stop = "Feature: It ends here\n\n  Scenario: A gate closes\n    Then a gate closes\n"
        (self.folder / "features/01-stop.feature").write_text(stop, "utf-8")
        return self.rehearse(*QUICK)

    @contextmanager
    def rehearsing(self, *options: str) -> Iterator["Running"]:
        """One run whose cloud has begun to start; killed if it was not waited for."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "as it is released")
        shutil.rmtree(self.folder / "reports" / "allure-results", ignore_errors=True)
        output, earlier = self.folder.with_suffix(".output"), len(self.journal())
        with output.open("wb") as terminal, self._process(options, terminal) as process:
            try:
                yield Running(self, process, _cloud_of(process), output, earlier)
            finally:
                if process.poll() is None:
                    process.kill()

    def _process(self, options: Sequence[str], terminal: Any) -> "subprocess.Popen[bytes]":  # noqa: ANN401 - any file
        # Where CI is set, pytest's short summary tells every message once more.
        ours = ("CI", "BUILD_NUMBER", "COLUMNS", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST")
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *(options or ("features/",))],
            cwd=self.folder,
            env={**kept, "COLUMNS": "80"},
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
        )

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def journal(self) -> list[Json]:
        """Every entry of every run; none before the first. An unfinished line does not count."""
        path = self.reports / "journal-local.jsonl"
        lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]


@dataclass(frozen=True)
class Running:
    """A rehearsal under way. `cloud` owns everything that it has on this machine.

    `earlier` counts the lines that its journal had before.
    """

    project: Project
    process: "subprocess.Popen[bytes]"
    cloud: Owner
    output: Path
    earlier: int

    def end(self) -> "Ended":
        """Wait for its end."""
        status = self.process.wait(ENDS_WITHIN.total_seconds())
        return Ended(self.project, status, self.cloud, self.output.read_text("utf-8"))

    def await_users_on_the_candidate(self) -> None:
        """Until some of the traffic goes to the candidate."""
        self.await_change("split traffic")

    def await_change(self, action: str) -> None:
        """Until the journal tells that this was done; the run must not end before."""

        def is_done() -> bool:
            assert self.process.poll() is None, self.output.read_text("utf-8")
            changes = self.project.journal()[self.earlier :]
            return any((one["action"], one["state"]) == (action, "done") for one in changes)

        wait_until(is_done, ENDS_WITHIN, f"{action} to be done")

    def kill(self) -> None:
        """End it as the kernel does for want of memory: it hears nothing of it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass(frozen=True)
class Ended:
    """What a rehearsal left for its user."""

    project: Project
    status: int
    cloud: Owner
    output: str

    def results(self) -> list[Json]:
        """What Allure was told of each scenario, in the order of the run."""
        files = (self.project.reports / "allure-results").glob("*-result.json")
        found = [json.loads(file.read_text("utf-8")) for file in files]
        return sorted(found, key=lambda result: int(result["start"]))

    def result(self, title: str) -> Json:
        """The one result of a scenario."""
        (found,) = (result for result in self.results() if result["name"] == title)
        return found

    def stopped(self) -> Json:
        """The one scenario that did not pass."""
        (found,) = (one for one in self.results() if one["status"] not in ("passed", "skipped"))
        return found

    def evidence(self, result: Json) -> dict[str, str]:
        """Everything attached below a scenario, by name; of the same name, the last.

        Of pictures, what can be read as text.
        """
        folder = self.project.reports / "allure-results"
        return {
            each["name"]: (folder / each["source"]).read_text("utf-8", errors="replace")
            for each in _attachments(result)
        }

    def record(self) -> Json:
        """The record for machines."""
        record: Json = json.loads((self.project.reports / "release.json").read_text("utf-8"))
        return record

    def changes(self) -> list[Json]:
        """The journal from the moment on at which the service of the last run was made."""
        entries = self.project.journal()
        made = [at for at, entry in enumerate(entries) if _makes_the_service(entry)]
        return entries[made[-1] :]


def _attachments(result: Json) -> Iterator[Json]:
    yield from result.get("attachments", ())
    for step in result.get("steps", ()):
        yield from _attachments(step)


def _makes_the_service(entry: Json) -> bool:
    return (entry["action"], entry["subject"], entry["state"]) == (
        *("create", "emergence-app"),
        "begun",
    )


def _cloud_of(process: "subprocess.Popen[bytes]") -> Owner:
    """The local cloud that a run starts, by the process that it is."""

    def found() -> int | None:
        assert process.poll() is None, f"pytest ended with {process.returncode} before its cloud"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return next(
            (int(pid) for pid in children if "cloudrun_emulator.cli" in _command(pid)), None
        )

    pid = wait_until(found, BEGINS_WITHIN, "the local cloud of the run")
    assert pid is not None
    return Owner.of(pid)


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
