"""Cloud Run: one service in one place, through the official clients."""

from collections.abc import Sequence

from google.api_core.exceptions import NotFound
from google.cloud import run_v2

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, PATIENT, Removal, RetryingCall, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.from_proto import revision_of, service_of
from greenrun.adapters.gcp.run.iam import Invokers
from greenrun.adapters.gcp.run.jobs import Jobs
from greenrun.adapters.gcp.run.to_proto import service_settings_of
from greenrun.adapters.gcp.run.update import (
    Create,
    Deploy,
    LiveService,
    Mutation,
    Scale,
    ServiceChange,
    SplitTraffic,
)
from greenrun.model.interfaces import Clock, Execution, Job, NewRevision, Timeout
from greenrun.model.interfaces.platform import ALL_TO_LATEST
from greenrun.model.plan import Location
from greenrun.model.polling import Wait
from greenrun.model.revision import NOTHING_SAID, Revision, ServiceSettings
from greenrun.model.service import Service
from greenrun.model.traffic import TrafficSplit


class CloudRun:
    """The platform. Every answer is a reading made for it, and none is older than one before.

    Args:
        clients: to Google or to a local cloud; whoever made them closes them.
        place: project and region.
        service: the service's short name.
        clock: what deadlines are measured by.
    """

    def __init__(self, clients: GoogleClients, place: Location, service: str, clock: Clock) -> None:
        self._clients = clients
        self._place = place
        self._service = service
        self._name = f"{place.parent}/services/{service}"
        self._clock = clock
        self._live = LiveService(clients, self._name)
        self._jobs = Jobs(clients, place, clock)

    def __repr__(self) -> str:
        return f"CloudRun({self._name})"

    def service(self) -> Service | None:
        """Read it; None where the service does not exist, which is believed when told again."""
        with refused(f"read {self._name} (GetService)", self._hint):
            try:
                return service_of(PATIENT(self._live.read)())
            except NotFound:
                return None

    def service_settings(self) -> ServiceSettings:
        """Read what the service has whatever its revision; nothing where there is none."""
        with refused(f"read {self._name} (GetService)", self._hint):
            try:
                return service_settings_of(PATIENT(self._live.read)())
            except NotFound:
                return NOTHING_SAID

    def revision(self, name: str) -> Revision | None:
        """Read a revision, by its short name; that there is none is believed when told again."""
        with refused(f"read revision {name} of {self._name} (GetRevision)", self._hint):
            try:
                return PATIENT(self._read_revision)(name)
            except NotFound:
                return None

    def revisions(self) -> Sequence[Revision]:
        """Every revision of the service, newest first."""
        request = run_v2.ListRevisionsRequest(parent=self._name)
        client = self._clients.revisions
        with refused(f"list the revisions of {self._name} (ListRevisions)", self._hint):
            try:
                found = client.list_revisions(request, retry=PATIENT, timeout=ANSWER_SECONDS)
                newest_first = sorted(found, key=_created, reverse=True)
            except NotFound:
                return ()
        return tuple(map(revision_of, newest_first))

    def create(
        self, wanted: NewRevision, timeout: Timeout, split: TrafficSplit = ALL_TO_LATEST
    ) -> None:
        """Create the service; its first revision gets all traffic as the latest that is ready."""
        read, parent = self._revision_now, self._place.parent
        nothing = run_v2.Revision()
        creation = Create(wanted, nothing, split, read, parent, self._service)
        self._carry_out(creation, None, self._readiness(wanted, "CreateService"), timeout)

    def deploy(
        self, wanted: NewRevision, split: TrafficSplit, before: Service, timeout: Timeout
    ) -> Service:
        """Make a revision, with the split that shall hold once it is ready: in one update.

        What its settings do not say is as the baseline has it, whatever the service's own template
        says since. Raises GateClosed with the platform's reason when the revision cannot start; the
        service then still wants the new split, and serves the old one.
        """
        deploy = Deploy(wanted, self._baseline(wanted.baseline), split, self._revision_now)
        return self._carry_out(deploy, before, self._readiness(wanted, "UpdateService"), timeout)

    def split_traffic(
        self,
        split: TrafficSplit,
        before: Service,
        timeout: Timeout,
        settings: ServiceSettings = NOTHING_SAID,
    ) -> Service:
        """Replace the split, and these settings, in one change; returns when it is in effect."""
        awaited = f"{self._name} to have the split {split} (UpdateService)"
        return self._carry_out(SplitTraffic(split, settings), before, awaited, timeout)

    def scale_to_zero(self, before: Service, timeout: Timeout) -> Service:
        """Stop every instance, by hand-set scaling; the split, and least and most, stay."""
        awaited = f"{self._name} to be scaled to zero (UpdateService)"
        return self._carry_out(Scale(to_zero=True), before, awaited, timeout)

    def scale_by_load(self, before: Service, timeout: Timeout) -> Service:
        """Let the platform choose the number of instances again."""
        awaited = f"{self._name} to be scaled by load (UpdateService)"
        return self._carry_out(Scale(to_zero=False), before, awaited, timeout)

    def remove_revision(self, name: str, timeout: Timeout) -> None:
        """Delete a revision that has no traffic and no tag. Nothing happens where there is none."""
        full, client = f"{self._name}/revisions/{name}", self._clients.revisions
        hint = "take its traffic and its revision tags away first; the newest one stays"
        Removal(
            f"delete {full} (DeleteRevision)",
            lambda timeout: (
                client.delete_revision(name=full, retry=None, timeout=timeout).operation
            ),
            lambda timeout: client.get_revision(name=full, retry=None, timeout=timeout),
        ).carry_out(self._call(f"{full} to be gone (DeleteRevision)", timeout, hint))

    def invokable_by_all(self) -> bool:
        """True when users need no identity to reach the service."""
        return Invokers(self._clients.services, self._name).include_everybody()

    def let_all_invoke(self) -> None:
        """Grant everybody the invoker role, keeping all other bindings."""
        Invokers(self._clients.services, self._name).add_everybody()

    def run(self, job: Job, timeout: Timeout) -> Execution:
        """Create or replace the job, run it once, without retries; returns when it has ended."""
        return self._jobs.run(job, self._baseline(job.baseline), timeout)

    def remove_job(self, name: str, timeout: Timeout) -> None:
        """Delete a job with its executions. Nothing happens where there is none."""
        self._jobs.remove(name, timeout)

    def remove_service(self, timeout: Timeout) -> None:
        """Delete the service with all its revisions. Nothing happens where there is none."""
        name, client = self._name, self._clients.services
        Removal(
            f"delete {name} (DeleteService)",
            lambda timeout: client.delete_service(name=name, retry=None, timeout=timeout).operation,
            lambda timeout: client.get_service(name=name, retry=None, timeout=timeout),
        ).carry_out(self._call(f"{name} to be gone (DeleteService)", timeout))
        self._live.forget()

    def _carry_out(
        self, mutation: Mutation, before: Service | None, awaited: str, timeout: Timeout
    ) -> Service:
        change = ServiceChange(self._live, mutation, before, self._call(awaited, timeout))
        return change.carry_out(self._clients.services)

    def _call(self, awaited: str, timeout: Timeout, hint: str = "") -> RetryingCall:
        wait = Wait(awaited, timeout, self._clock)
        return RetryingCall(self._clients.services, wait, self._clock, hint or self._hint)

    def _readiness(self, wanted: NewRevision, call: str) -> str:
        return f"revision {wanted.name} of {self._name} to be ready ({call})"

    def _baseline(self, name: str) -> run_v2.Revision:
        """The revision that settings are laid over; an empty one where none is named."""
        if not name:
            return run_v2.Revision()
        with refused(f"read revision {name} of {self._name} (GetRevision)", self._hint):
            return PATIENT(self._described)(name)

    def _described(self, name: str) -> run_v2.Revision:
        full, client = f"{self._name}/revisions/{name}", self._clients.revisions
        return client.get_revision(name=full, retry=None, timeout=ANSWER_SECONDS)

    def _read_revision(self, name: str) -> Revision:
        return revision_of(self._described(name))

    def _revision_now(self, name: str) -> Revision | None:
        """Read it once: whoever waits for it reads it again."""
        try:
            return self._read_revision(name)
        except NotFound:
            return None

    @property
    def _hint(self) -> str:
        place = f"--region {self._place.region} --project {self._place.project}"
        return f"`gcloud run services describe {self._service} {place}` tells how it stands"


def _created(revision: run_v2.Revision) -> int:
    return int(run_v2.Revision.pb(revision).create_time.ToNanoseconds())
