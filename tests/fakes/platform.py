"""Cloud Run in memory, and who may use it how."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypedDict, Unpack

from greenrun.model.errors import CallFailed, ConcurrentChange, GateClosed
from greenrun.model.interfaces import Execution, Job, NewRevision, Timeout
from greenrun.model.interfaces.platform import ALL_TO_LATEST
from greenrun.model.lease import Lease
from greenrun.model.revision import (
    NOTHING_SAID,
    Readiness,
    Revision,
    RevisionSettings,
    ServiceSettings,
)
from greenrun.model.service import Service
from greenrun.model.traffic import TrafficSplit
from tests.fakes.telling import URL


class ServiceFields(TypedDict, total=False):
    """What a change of a service may change of it."""

    wanted: TrafficSplit
    actual: TrafficSplit
    latest_ready: str
    latest_created: str
    tag_urls: Mapping[str, str]
    changed_at: str


@dataclass
class FakePlatform:
    """A service in memory. `refuses` names calls that fail; `executions` says how jobs end.

    `unready` are images whose revisions never get ready, `no_effect` flags that it does not know.
    """

    name: str
    state: Service | None = None
    revisions_by_name: dict[str, Revision] = field(default_factory=dict)
    stopped: bool = False
    public: bool = False
    settings: ServiceSettings = NOTHING_SAID
    refused_settings: ServiceSettings = NOTHING_SAID
    changes_settings: bool = True
    refuses: set[str] = field(default_factory=set)
    unready: set[str] = field(default_factory=set)
    no_effect: tuple[str, ...] = ()
    executions: Callable[[Job], Execution] = field(
        default=lambda job: Execution(f"{job.name}-1", succeeded=True)
    )
    calls: list[str] = field(default_factory=list)

    def service(self) -> Service | None:
        self._expect_allowed("service")
        return self.state

    def service_settings(self) -> ServiceSettings:
        return self.settings

    def revision(self, name: str) -> Revision | None:
        return self.revisions_by_name.get(name)

    def create(
        self, wanted: NewRevision, timeout: Timeout, split: TrafficSplit = ALL_TO_LATEST
    ) -> None:
        self._call("create", timeout)
        fails = wanted.image in self.unready
        self._add(wanted, Readiness.FAILED if fails else Readiness.READY)
        split = split.pinned(wanted.name)
        ready = "" if fails else wanted.name
        readiness = Readiness.FAILED if fails else Readiness.READY
        self.state = Service(self.name, URL, 1, readiness, split, split, ready, wanted.name)
        self.state = replace(self.state, tag_urls=_urls(split), no_effect=self.no_effect)
        self.settings = wanted.service_settings.over(NOTHING_SAID)
        if fails:
            raise GateClosed(f"Revision '{wanted.name}' is not ready")

    def deploy(
        self, wanted: NewRevision, split: TrafficSplit, before: Service, timeout: Timeout
    ) -> Service:
        self._change("deploy", before, timeout, wanted=split, latest_created=wanted.name)
        if wanted.image in self.unready:
            self._add(wanted, Readiness.FAILED)
            raise GateClosed(f"Revision '{wanted.name}' is not ready")
        self._add(wanted)
        return self._settle(actual=split, latest_ready=wanted.name, tag_urls=_urls(split))

    def split_traffic(
        self,
        split: TrafficSplit,
        before: Service,
        timeout: Timeout,
        settings: ServiceSettings = NOTHING_SAID,
    ) -> Service:
        if settings.said and settings == self.refused_settings:
            raise CallFailed("these settings were refused")
        self._change("split_traffic", before, timeout, wanted=split)
        if settings.said and self.changes_settings:
            self.settings = settings
        return self._settle(actual=split, tag_urls=_urls(split))

    def scale_to_zero(self, before: Service, timeout: Timeout) -> Service:
        self._change("scale_to_zero", before, timeout)
        self.stopped = True
        return self._settle()

    def scale_by_load(self, before: Service, timeout: Timeout) -> Service:
        self._change("scale_by_load", before, timeout)
        self.stopped = False
        return self._settle()

    def revisions(self) -> Sequence[Revision]:
        return tuple(reversed(self.revisions_by_name.values()))

    def remove_revision(self, name: str, timeout: Timeout) -> None:
        self._call(f"remove_revision {name}", timeout)
        if name in self._needed:
            raise CallFailed(f"Revision {name} cannot be directly deleted")
        self.revisions_by_name.pop(name, None)

    def invokable_by_all(self) -> bool:
        return self.public or self.settings.invoker_iam_check is False

    def let_all_invoke(self) -> None:
        self.public = True

    def run(self, job: Job, timeout: Timeout) -> Execution:
        self._call("run", timeout)
        return self.executions(job)

    def remove_service(self, timeout: Timeout) -> None:
        self._call("remove_service", timeout)
        self.state, self.public = None, False
        self.revisions_by_name.clear()

    def remove_job(self, name: str, timeout: Timeout) -> None:
        self._call(f"remove_job {name}", timeout)

    def change_by_somebody(self, **fields: Unpack[ServiceFields]) -> None:
        """Another than the release changes the service."""
        assert self.state is not None
        generation = self.state.generation + 1
        self.state = replace(self.state, generation=generation, changed_by="alice", **fields)

    @property
    def _needed(self) -> set[str]:
        """The revisions that cannot be deleted: the latest one, and those of the split."""
        assert self.state is not None
        targets = (*self.state.wanted, *self.state.actual)
        return {self.state.latest_created, *(target.revision for target in targets)}

    def _change(
        self, name: str, before: Service, timeout: Timeout, **fields: Unpack[ServiceFields]
    ) -> None:
        self._call(name, timeout)
        assert self.state is not None
        if before.generation != self.state.generation:
            raise ConcurrentChange(f"{self.name} was changed by {self.state.changed_by}")
        generation = self.state.generation + 1
        self.state = replace(self.state, generation=generation, changed_by="greenrun", **fields)

    def _settle(self, **fields: Unpack[ServiceFields]) -> Service:
        assert self.state is not None
        self.state = replace(self.state, no_effect=self.no_effect, **fields)
        return self.state

    def _call(self, name: str, timeout: Timeout) -> None:
        assert timeout.within > timedelta()
        timeout.watch(f"{name} is under way")
        self.calls.append(name)
        self._expect_allowed(name)

    def _expect_allowed(self, name: str) -> None:
        if name in self.refuses:
            raise CallFailed(f"{name} was refused")

    def _add(self, wanted: NewRevision, readiness: Readiness = Readiness.READY) -> None:
        baseline = self.revisions_by_name.get(wanted.baseline)
        settings = wanted.settings.over(baseline.settings if baseline else RevisionSettings())
        self.revisions_by_name[wanted.name] = Revision(
            wanted.name, wanted.image, readiness, settings
        )


def _urls(split: TrafficSplit) -> dict[str, str]:
    return {target.tag: f"{URL}/{target.tag}" for target in split if target.tag}


@dataclass
class MemoryLeases:
    """Claims in memory. `refuses` names calls that fail."""

    kept: dict[int, Lease] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)

    def all(self) -> Sequence[Lease]:
        return [self.kept[number] for number in sorted(self.kept, reverse=True)]

    def create(self, lease: Lease) -> bool:
        return self.kept.setdefault(lease.number, lease) is lease

    def update(self, lease: Lease) -> None:
        if "update" in self.refuses:
            raise CallFailed("update was refused")
        if lease.number not in self.kept:
            raise CallFailed(f"there is no lease {lease.number}")
        self.kept[lease.number] = lease

    def remove(self, number: int) -> None:
        self.kept.pop(number, None)


@dataclass
class FakeAccess:
    """Credentials that lack what a test takes away."""

    name: str = "somebody@example.com"
    lacks: set[str] = field(default_factory=set)

    def account(self) -> str:
        return self.name

    def missing(self, permissions: Sequence[str]) -> Sequence[str]:
        return [permission for permission in permissions if permission in self.lacks]


@dataclass
class FakeVault:
    """Enabled secret versions, as `NAME:VERSION`."""

    versions: set[str] = field(default_factory=set)

    def exists(self, secret: str, version: str) -> bool:
        return f"{secret}:{version}" in self.versions

    def read(self, secret: str, version: str) -> str:
        if not self.exists(secret, version):
            raise CallFailed(f"could not read {secret}:{version}")
        return f"value of {secret}"
