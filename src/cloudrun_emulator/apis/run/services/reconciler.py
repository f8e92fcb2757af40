"""Bringing a service from what is asked of it to what serves."""

from collections.abc import Callable, Iterable
from functools import partial
from threading import Condition, RLock, Thread

from google.cloud import run_v2
from grpc import StatusCode

from cloudrun_emulator.apis.run import conditions
from cloudrun_emulator.apis.run.conditions import Reason, State, condition
from cloudrun_emulator.apis.run.services.launcher import Launcher, LaunchFailed
from cloudrun_emulator.apis.run.services.routing import Traffic
from cloudrun_emulator.apis.run.services.scaling import Scaling
from cloudrun_emulator.apis.run.services.store import ServiceRecord
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import Ingress, Instance
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import short
from cloudrun_emulator.runtime.instances import stop_all

_REVISION_FAILED = run_v2.Condition.CommonReason.REVISION_FAILED
_INTERNAL = run_v2.Condition.CommonReason.INTERNAL


HoldTag = Callable[[str, str], Callable[[], object] | None]
"""Given a service's full name and a revision tag that has moved: what lasts until it takes effect,
or None where it does at once."""


def _at_once(_service: str, _tag: str) -> None:
    """Let every tag's address follow the tag."""


class Reconciler:
    """The reconciliation of services: what runs in the background of a create or an update."""

    def __init__(
        self, lock: RLock, launcher: Launcher, ingress: Ingress, hold_tag: HoldTag = _at_once
    ) -> None:
        self._lock = lock
        self._started = Condition(lock)
        self._launcher = launcher
        self._scaling = Scaling(lock, launcher)
        self._ingress = ingress
        self._hold_tag = hold_tag
        self._catching_up: list[Thread] = []

    def close(self) -> None:
        """Wait for addresses that catch up with their tags, which lifting all faults makes end."""
        for thread in self._catching_up:
            thread.join()

    def deploy(self, record: ServiceRecord, revision: str, generation: int) -> run_v2.Service:
        """Start `revision`, then route; raises CloudError when either fails.

        A failure leaves the serving state as it was. `generation` is that of the service when
        this was asked: the verdict on an overtaken one is not the service's any more.
        """
        try:
            self._launch(record, revision)
        except LaunchFailed as failure:
            self._launch_failed(record, revision, generation, failure)
            raise CloudError(StatusCode.FAILED_PRECONDITION, str(failure)) from failure
        except Exception as error:
            unexpected = LaunchFailed(revision, _INTERNAL, repr(error))
            self._launch_failed(record, revision, generation, unexpected)
            raise
        return self.route(record, generation)

    def route(self, record: ServiceRecord, generation: int) -> run_v2.Service:
        """Make the traffic that the service asks for the traffic that it has.

        Waits for revisions that are starting. Raises CloudError when a target cannot serve; the
        traffic stays as it was. A halted service has no instances and answers 503, whatever
        becomes of its traffic.
        """
        self._halt_where_asked(record)
        with self._started:
            self._started.wait_for(lambda: record.idle or not _awaited(record))
        self._scale_up(record, generation)
        with record.routing:
            with self._lock:
                if record.deleted:
                    raise record.name.missing()
                traffic = self._checked_traffic(record, generation)
                self._leave_behind(record, traffic)
            urls = self._apply(record, traffic)
            with self._lock:
                self._record_serving(record, traffic, urls)
                _mark_settled(record, generation)
                return clone(record.service)

    def refresh(self, record: ServiceRecord) -> None:
        """Route what serves now again: an instance, or who may call, has changed."""
        with record.routing:
            if record.serving is not None and not record.deleted:
                self._apply(record, record.serving)

    def replace(self, record: ServiceRecord, revision: str, instance: Instance) -> None:
        """Let `instance` serve in place of one that died."""
        with self._lock:
            kept = record.keep(revision, instance)
        if kept:
            self.refresh(record)
        else:
            instance.stop()

    def remove(self, record: ServiceRecord) -> None:
        """Close the addresses, then stop every instance, those that are starting too."""
        with record.routing:
            self._ingress.remove(record.service.name)
            with self._lock:
                instances = list(record.instances.values())
                record.instances.clear()
        stop_all(instances)
        with self._started:
            self._started.wait_for(lambda: not _starting(record))

    def _launch(self, record: ServiceRecord, revision: str) -> None:
        with self._lock:
            snapshot = clone(record.revisions[revision])
            checked = record.checked(revision)
        instance = self._launcher.launch(snapshot, lambda: record.deleted, checked=checked)
        with self._lock:
            kept = record.keep(revision, instance)
            deleted = record.deleted
            if not deleted:
                self._launched(record, revision)
        if not kept:
            instance.stop()
        if deleted:
            raise record.name.missing()

    def _launched(self, record: ServiceRecord, revision: str) -> None:
        _mark_revision(
            record.revisions[revision], conditions.revision_ready(receives_traffic=False)
        )
        record.service.latest_ready_revision = _latest_ready(record)
        self._started.notify_all()

    def _launch_failed(
        self, record: ServiceRecord, revision: str, generation: int, failure: LaunchFailed
    ) -> None:
        with self._lock:
            made = conditions.revision_failed(failure.reason, str(failure))
            _mark_revision(record.revisions[revision], made)
            if record.service.generation == generation:
                _mark_failed(record, "ConfigurationsReady", failure.reason, str(failure))
            self._started.notify_all()

    def _halt_where_asked(self, record: ServiceRecord) -> None:
        """The ingress first, so that users get an answer and no broken connection."""
        if record.halted:
            self.refresh(record)
            self._scaling.stop(record)

    def _scale_up(self, record: ServiceRecord, generation: int) -> None:
        try:
            self._scaling.start(record)
        except CloudError as error:
            with self._lock:
                if record.service.generation == generation:
                    _mark_failed(record, "RoutesReady", _REVISION_FAILED, error.message)
            raise

    def _checked_traffic(self, record: ServiceRecord, generation: int) -> Traffic:
        traffic = _traffic_of(record, record.service.traffic)
        try:
            traffic.check()
        except CloudError as error:
            overtaken = record.service.generation != generation
            if overtaken and record.serving is not None:
                return record.serving  # the change that overtook this one tells
            if not overtaken:
                _mark_failed(record, "RoutesReady", _REVISION_FAILED, error.message)
            raise
        return traffic

    def _apply(self, record: ServiceRecord, traffic: Traffic) -> dict[str, str]:
        with self._lock:
            off = record.service.default_uri_disabled  # which makes tag URLs unresolvable too
            routes = [] if off else record.routes(traffic)
            instances = {} if record.halted else record.instances
            backends = {name: one.address for name, one in instances.items()}
            http2 = [name for name in instances if _speaks_http2(record.revisions[name])]
        return dict(self._ingress.apply(record.service.name, routes, backends, http2))

    def _leave_behind(self, record: ServiceRecord, traffic: Traffic) -> None:
        for tag, earlier in traffic.moved_tags(record.serving).items():
            if hold := self._hold_tag(record.service.name, tag):
                record.behind[tag] = earlier
                catching_up = partial(self._catch_up, record, tag, hold)
                thread = Thread(target=catching_up, name=f"tag {tag}", daemon=True)
                self._catching_up.append(thread)
                thread.start()

    def _catch_up(self, record: ServiceRecord, tag: str, hold: Callable[[], object]) -> None:
        hold()
        with self._lock:
            record.behind.pop(tag, None)
        self.refresh(record)

    def _record_serving(
        self, record: ServiceRecord, traffic: Traffic, urls: dict[str, str]
    ) -> None:
        record.serving = traffic
        service = record.service
        service.traffic_statuses = traffic.statuses(urls)
        service.uri = urls.get(traffic.service, "")
        service.urls = [service.uri] if service.uri else []
        shares = traffic.shares()
        for name, revision in record.revisions.items():
            if conditions.is_ready(revision):
                _mark_revision(revision, conditions.revision_ready(receives_traffic=name in shares))
            elif conditions.has_failed(revision) and name not in traffic.reachable():
                _mark_revision(revision, conditions.revision_failed_and_retired(revision))


def _speaks_http2(revision: run_v2.Revision) -> bool:
    return any(port.name == "h2c" for one in revision.containers for port in one.ports)


def _traffic_of(record: ServiceRecord, targets: Iterable[run_v2.TrafficTarget]) -> Traffic:
    latest = short(_latest_ready(record)) or short(record.service.latest_created_revision)
    kept = tuple(clone(target) for target in targets)
    return Traffic(record.name.id, kept, latest, dict(record.revisions))


def _awaited(record: ServiceRecord) -> bool:
    """Whether a revision that traffic may come to is starting."""
    newest = short(record.service.latest_created_revision)
    wanted = {target.revision or newest for target in record.service.traffic}
    return not wanted.isdisjoint(_starting(record))


def _starting(record: ServiceRecord) -> list[str]:
    return [name for name, revision in record.revisions.items() if revision.reconciling]


def _latest_ready(record: ServiceRecord) -> str:
    """The full name of the newest revision that is ready; empty when none is."""
    ready = [one.name for one in record.revisions.values() if conditions.is_ready(one)]
    return ready[-1] if ready else ""


def _mark_revision(revision: run_v2.Revision, made: list[run_v2.Condition]) -> None:
    revision.conditions = conditions.updated(revision.conditions, made)
    revision.reconciling = False
    revision.observed_generation = revision.generation


def _mark_settled(record: ServiceRecord, generation: int) -> None:
    """Mark a change as a success: it is judged by its own work alone [unconfirmed].

    That holds for a traffic change after a failed deploy too, which is how one rolls back.
    """
    if record.service.generation != generation:
        return
    service = record.service
    service.observed_generation = generation
    service.reconciling = False
    done = State.CONDITION_SUCCEEDED
    service.terminal_condition = condition("Ready", done)
    made = [condition("RoutesReady", done), condition("ConfigurationsReady", done)]
    service.conditions = conditions.updated(service.conditions, made)


def _mark_failed(record: ServiceRecord, part: str, reason: Reason, message: str) -> None:
    service = record.service
    service.reconciling = False
    service.terminal_condition = condition("Ready", State.CONDITION_FAILED, reason, message)
    made = [
        condition(kind, State.CONDITION_FAILED, reason, message)
        if kind == part
        else condition(kind, State.CONDITION_SUCCEEDED)
        for kind in ("RoutesReady", "ConfigurationsReady")
    ]
    service.conditions = conditions.updated(service.conditions, made)
