"""Every change that the platform can be asked for, and how it shows that it was made."""

from collections.abc import Callable
from dataclasses import dataclass

from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.model.interfaces import Job, Timeout
from greenrun.model.revision import Readiness, RevisionSettings
from greenrun.model.traffic import LATEST, Target, TrafficSplit
from tests.adapters.cloud.candidates import Watcher, reading, revision

ONE, TWO = "web-one", "web-two"
WITHOUT_TRAFFIC = TrafficSplit((Target(ONE, 100), Target(TWO, 0, "candidate")))
TASK = "in-process/task"
JOB = Job("migrate", TASK, (TASK,), RevisionSettings())


def serving(platform: CloudRun) -> None:
    """A service whose first revision has all traffic, by name."""
    platform.create(revision("one"), Watcher().timeout)
    platform.split_traffic(TrafficSplit.all_to(ONE), reading(platform), Watcher().timeout)


def deployed(platform: CloudRun) -> None:
    """And a second revision without traffic."""
    serving(platform)
    platform.deploy(revision("two"), WITHOUT_TRAFFIC, reading(platform), Watcher().timeout)


def replaced(platform: CloudRun) -> None:
    """And a third, so that nothing reaches the second any more."""
    deployed(platform)
    timeout = Watcher().timeout
    platform.split_traffic(TrafficSplit.all_to(ONE), reading(platform), timeout)
    platform.deploy(revision("three"), TrafficSplit.all_to(ONE), reading(platform), timeout)


def stopped(platform: CloudRun) -> None:
    """Scaled to zero."""
    serving(platform)
    platform.scale_to_zero(reading(platform), Watcher().timeout)


def ran(platform: CloudRun) -> None:
    """A job that has run."""
    platform.run(JOB, Watcher().timeout)


def _deploys(platform: CloudRun, timeout: Timeout) -> bool:
    before = reading(platform)
    after = platform.deploy(revision("two"), WITHOUT_TRAFFIC, before, timeout)
    candidate = platform.revision(TWO)
    return (
        after == reading(platform)
        and after.generation == before.generation + 1
        and after.actual.matches(WITHOUT_TRAFFIC)
        and candidate is not None
        and candidate.readiness is Readiness.READY
    )


def _splits(platform: CloudRun, timeout: Timeout) -> bool:
    before, split = reading(platform), WITHOUT_TRAFFIC.shared({ONE: 90, TWO: 10})
    after = platform.split_traffic(split, before, timeout)
    return after == reading(platform) and after.actual == split


def _creates(platform: CloudRun, timeout: Timeout) -> bool:
    platform.create(revision("one"), timeout)
    return reading(platform).actual == TrafficSplit.all_to(LATEST)


def _stops(platform: CloudRun, timeout: Timeout) -> bool:
    before = reading(platform)
    after = platform.scale_to_zero(before, timeout)
    return after == reading(platform) and after.actual == before.actual


def _starts(platform: CloudRun, timeout: Timeout) -> bool:
    before = reading(platform)
    after = platform.scale_by_load(before, timeout)
    return after == reading(platform) and after.actual == before.actual


def _removes_revision(platform: CloudRun, timeout: Timeout) -> bool:
    platform.remove_revision(TWO, timeout)
    return [one.name for one in platform.revisions()] == ["web-three", ONE]


def _removes_service(platform: CloudRun, timeout: Timeout) -> bool:
    platform.remove_service(timeout)
    return platform.service() is None


def _removes_job(platform: CloudRun, timeout: Timeout) -> bool:
    platform.remove_job(JOB.name, timeout)
    return True


def _lets_in(platform: CloudRun, _: Timeout) -> bool:
    platform.let_all_invoke()
    return platform.invokable_by_all()


def _runs(platform: CloudRun, timeout: Timeout) -> bool:
    return platform.run(JOB, timeout).succeeded


@dataclass(frozen=True)
class Change:
    """A call of the platform: `rpc` is what changes something, `reads` what it looks at."""

    rpc: str
    prepare: Callable[[CloudRun], None]
    make: Callable[[CloudRun, Timeout], bool]
    reads: tuple[str, ...] = ("Services.GetService",)


OPERATIONS = "Operations.GetOperation"
CHANGES = {
    "create": Change("Services.CreateService", lambda _: None, _creates),
    "deploy": Change(
        "Services.UpdateService",
        serving,
        _deploys,
        ("Services.GetService", "Revisions.GetRevision", OPERATIONS),
    ),
    "split": Change(
        "Services.UpdateService", deployed, _splits, ("Services.GetService", OPERATIONS)
    ),
    "scale to zero": Change("Services.UpdateService", serving, _stops),
    "scale by load": Change("Services.UpdateService", stopped, _starts),
    "remove revision": Change(
        "Revisions.DeleteRevision", replaced, _removes_revision, ("Revisions.GetRevision",)
    ),
    "remove service": Change("Services.DeleteService", serving, _removes_service),
    "remove job": Change("Jobs.DeleteJob", ran, _removes_job, ("Jobs.GetJob",)),
    "let all invoke": Change(
        "Services.SetIamPolicy", serving, _lets_in, ("Services.GetIamPolicy",)
    ),
    "run": Change(
        "Jobs.RunJob",
        lambda _: None,
        _runs,
        ("Jobs.GetJob", "Executions.ListExecutions", "Executions.GetExecution"),
    ),
    "write job": Change("Jobs.UpdateJob", ran, _runs, (OPERATIONS,)),
}
