"""Cloud Run: one service in one place, through the official clients."""

from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.api_core.retry import Retry
from google.cloud import run_v2
from google.protobuf import field_mask_pb2

from greenrun.adapters.cloud_run_iam import Invokers
from greenrun.adapters.cloud_run_jobs import Jobs
from greenrun.adapters.cloud_run_operations import Operation, succeed
from greenrun.adapters.cloud_run_reading import (
    describe,
    revision_of,
    same_effect,
    service_of,
    traffic_of,
)
from greenrun.adapters.cloud_run_settings import template_of
from greenrun.adapters.google_calls import ANSWER_SECONDS, PATIENT, refused
from greenrun.adapters.google_clients import GoogleClients
from greenrun.adapters.waiting import Wait
from greenrun.domain.plan import Place
from greenrun.domain.revision import Readiness, Revision
from greenrun.domain.service import Service
from greenrun.domain.traffic import LATEST, TrafficSplit
from greenrun.errors import GateClosed
from greenrun.ports import Clock, Execution, Job, NewRevision, Patience


class CloudRun:
    """The platform. It remembers nothing: every answer is a reading made for it.

    Args:
        clients: to Google or to a local cloud; whoever made them closes them.
        place: project and region.
        service: the service's short name.
        clock: what deadlines are measured by.
    """

    def __init__(self, clients: GoogleClients, place: Place, service: str, clock: Clock) -> None:
        self._clients = clients
        self._place = place
        self._name = f"{place.parent}/services/{service}"
        self._clock = clock
        self._jobs = Jobs(clients, place, clock)

    def __repr__(self) -> str:
        return f"CloudRun({self._name})"

    def service(self) -> Service | None:
        """One reading; None where the service does not exist."""
        with refused(f"read {self._name}"):
            try:
                return service_of(self._read())
            except NotFound:
                return None

    def revision(self, name: str) -> Revision | None:
        """One reading of a revision, by its short name."""
        with refused(f"read revision {name} of {self._name}"):
            try:
                return revision_of(self._read_revision(name))
            except NotFound:
                return None

    def create(self, wanted: NewRevision, patience: Patience) -> None:
        """Create the service; its first revision gets all traffic as the latest that is ready."""
        wait = self._wait_for(wanted, patience)
        request = run_v2.CreateServiceRequest(
            parent=self._place.parent,
            service_id=self._name.rpartition("/")[2],
            service=run_v2.Service(template=_template(wanted)),
        )
        with refused(f"create {self._name}"):
            begun = self._clients.services.create_service(request).operation
            self._follow(wanted, begun, wait)
        self._await_effect(TrafficSplit.all_to(LATEST), wait)

    def deploy(self, wanted: NewRevision, split: TrafficSplit, patience: Patience) -> None:
        """Make a revision, with the split that shall hold once it is ready: in one update.

        Settings that RevisionSettings does not speak of are taken over from the service's template.
        Raises GateClosed with the platform's reason when the revision cannot start; the service
        then still wants the new split, and serves the old one.
        """
        wait = self._wait_for(wanted, patience)
        with refused(f"deploy {wanted.name} to {self._name}"):
            live = self._read()
            change = run_v2.Service(
                name=self._name,
                template=_template(wanted, live.template),
                traffic=traffic_of(split),
                etag=live.etag,
            )
            begun = self._update(change, "template", "traffic")
            self._follow(wanted, begun, wait)
        self._await_effect(split, wait)

    def split_traffic(self, split: TrafficSplit, patience: Patience) -> None:
        """Replace the split, and nothing else; returns when it is the actual one.

        It carries no etag: a way back must not fail because somebody changed something else. Nor
        may it fail because the service is not well for another reason, say that its latest revision
        never started: what counts is who serves.
        """
        wait = Wait(f"{self._name} to have the split {split}", patience, self._clock)
        with refused(f"give {self._name} the split {split}"):
            change = run_v2.Service(name=self._name, traffic=traffic_of(split))
            begun = self._update(change, "traffic", retry=PATIENT)
            try:
                succeed(self._clients.services, begun, wait, self._seen)
            except GoogleAPICallError:
                if not self._is_in_effect(split):
                    raise
        self._await_effect(split, wait)

    def invokable_by_all(self) -> bool:
        """True when users need no identity to reach the service."""
        return Invokers(self._clients.services, self._name).include_everybody()

    def let_all_invoke(self) -> None:
        """Grant everybody the invoker role, keeping all other bindings."""
        Invokers(self._clients.services, self._name).add_everybody()

    def run(self, job: Job, patience: Patience) -> Execution:
        """Create or replace the job, run it once, without retries; returns when it has ended."""
        return self._jobs.run(job, patience)

    def remove_job(self, name: str, patience: Patience) -> None:
        """Delete a job with its executions. Nothing happens where there is none."""
        self._jobs.remove(name, patience)

    def remove_service(self, patience: Patience) -> None:
        """Delete the service with all its revisions. Nothing happens where there is none."""
        wait = Wait(f"{self._name} to be deleted", patience, self._clock)
        with refused(f"delete {self._name}"):
            try:
                begun = self._clients.services.delete_service(name=self._name).operation
            except NotFound:
                return
            succeed(self._clients.services, begun, wait, self._seen)

    def _read(self) -> run_v2.Service:
        return self._clients.services.get_service(name=self._name)

    def _read_revision(self, name: str) -> run_v2.Revision:
        full = f"{self._name}/revisions/{name}"
        client = self._clients.revisions
        return client.get_revision(name=full, retry=PATIENT, timeout=ANSWER_SECONDS)

    def _update(
        self, change: run_v2.Service, *fields: str, retry: Retry | None = None
    ) -> Operation:
        mask = field_mask_pb2.FieldMask(paths=fields)
        request = run_v2.UpdateServiceRequest(service=change, update_mask=mask)
        begun: Operation = self._clients.services.update_service(request, retry=retry).operation
        return begun

    def _wait_for(self, wanted: NewRevision, patience: Patience) -> Wait:
        return Wait(f"revision {wanted.name} to be ready", patience, self._clock)

    def _follow(self, wanted: NewRevision, begun: Operation, wait: Wait) -> None:
        try:
            succeed(self._clients.services, begun, wait, self._seen)
        except GoogleAPICallError as error:
            # A revision that failed has been judged; whatever else failed says nothing about it.
            revision = self.revision(wanted.name)
            if revision is None or revision.readiness is not Readiness.FAILED:
                raise
            raise _cannot_start(wanted, revision) from error

    def _await_effect(self, split: TrafficSplit, wait: Wait) -> None:
        wait.until(lambda: self._is_in_effect(split) or None, self._seen)

    def _is_in_effect(self, split: TrafficSplit) -> bool:
        """Asked for, actual, and nothing under way that could change it."""
        service = self.service()
        return (
            service is not None
            and service.readiness is not Readiness.PENDING
            and same_effect(service.wanted, split)
            and same_effect(service.actual, split)
        )

    def _seen(self) -> str:
        with refused(f"read {self._name}"):
            live = self._read()
        conditions = describe([live.terminal_condition, *live.conditions])
        return f"{service_of(live).actual}; {conditions}"


def _template(
    wanted: NewRevision, live: run_v2.RevisionTemplate | None = None
) -> run_v2.RevisionTemplate:
    """Named anew each time: a name that was read and sent back answers 409."""
    template = template_of(wanted.settings, wanted.image, live or run_v2.RevisionTemplate())
    template.revision = wanted.name
    return template


def _cannot_start(wanted: NewRevision, revision: Revision) -> GateClosed:
    return GateClosed(
        f"revision {wanted.name} cannot start: got {revision.reason}: "
        f"{revision.message.rstrip('.')}, "
        f"needs a container that is ready on port {wanted.settings.port}",
        hint="the revision's log says what its container did",
    )
