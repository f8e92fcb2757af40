"""Leases on a service, kept as jobs of Cloud Run that are never run."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from google.api_core.exceptions import AlreadyExists, NotFound
from google.cloud import run_v2

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, PATIENT, TRANSIENT, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.model.lease import Lease, LeaseHolder
from greenrun.model.plan import Location

_LARGEST_PAGE = 1000
_OURS = "greenrun.dev/"


class CloudRunLeases:
    """Lease N on the service `web` is the job `web-lock-N`; its facts are annotations of it.

    Creating a job of a fixed name is atomic, whatever etags do. No update carries an etag: a lease
    has one writer.

    Args:
        clients: to Google or to a local cloud; whoever made them closes them.
        place: project and region.
        service: the service's short name, below 50 characters; a job's may have 63.
        image: says which image the jobs name; asked once, before the first is written. Cloud Run
            wants one that exists, and starts none of it.
        service_account: whom the jobs name to run as: one that the caller may act as. Empty is the
            project's default account.
    """

    def __init__(
        self,
        clients: GoogleClients,
        place: Location,
        service: str,
        image: Callable[[], str],
        service_account: str = "",
    ) -> None:
        self._clients = clients
        self._place = place
        self._service = service
        self._image = image
        self._service_account = service_account
        self._template: run_v2.TaskTemplate | None = None
        self._id = re.compile(rf"{re.escape(service)}-lock-([1-9]\d*)")

    def __repr__(self) -> str:
        return f"CloudRunLeases({self._service} in {self._place.parent})"

    def all(self) -> Sequence[Lease]:
        """Every lease, the highest number first, also those that cannot be read."""
        request = run_v2.ListJobsRequest(parent=self._place.parent, page_size=_LARGEST_PAGE)
        with refused(f"list the leases on {self._service}"):
            client = self._clients.jobs
            jobs = list(client.list_jobs(request, retry=PATIENT, timeout=ANSWER_SECONDS))
        return sorted(self._leases_among(jobs), key=lambda lease: lease.number, reverse=True)

    def create(self, lease: Lease) -> bool:
        """Take a number; False where it is taken."""
        request = run_v2.CreateJobRequest(
            parent=self._place.parent,
            job=self._job_of(lease),
            job_id=self._job_id(lease.number),
        )
        request.job.name = ""
        with refused(f"create job {request.job_id}"):
            return PATIENT(self._create)(request)

    def update(self, lease: Lease) -> None:
        """Write one's own lease, which renews it. It is not made anew where it is gone.

        UpdateJob replaces the whole job: there is no mask.
        """
        request = run_v2.UpdateJobRequest(job=self._job_of(lease))
        with refused(f"update job {self._job_id(lease.number)}"):
            self._clients.jobs.update_job(request, retry=PATIENT, timeout=ANSWER_SECONDS)

    def remove(self, number: int) -> None:
        """Take a lower lease away. Nothing happens where there is none."""
        with refused(f"delete job {self._job_id(number)}"):
            try:
                name = self._name(number)
                self._clients.jobs.delete_job(name=name, retry=PATIENT, timeout=ANSWER_SECONDS)
            except NotFound:
                return

    def _create(self, request: run_v2.CreateJobRequest) -> bool:
        """The job is there with the call; its operation would tell nothing more."""
        try:
            self._clients.jobs.create_job(request, timeout=ANSWER_SECONDS)
        except AlreadyExists:
            return self._is_made(request)
        except TRANSIENT:
            if self._is_made(request):
                return True
            raise
        return True

    def _is_made(self, request: run_v2.CreateJobRequest) -> bool:
        """True where this very request made the job: an answer to it was lost."""
        name = f"{request.parent}/jobs/{request.job_id}"
        try:
            job = self._clients.jobs.get_job(name=name, retry=PATIENT, timeout=ANSWER_SECONDS)
        except NotFound:
            return False
        return job.template.annotations == request.job.template.annotations

    def _leases_among(self, jobs: Sequence[run_v2.Job]) -> Iterator[Lease]:
        for job in jobs:
            if named := self._id.fullmatch(job.name.rpartition("/")[2]):
                yield _lease_of(job, int(named[1]))

    def _job_of(self, lease: Lease) -> run_v2.Job:
        """Each renewal is unlike any other, and stands in the template: that makes a generation."""
        return run_v2.Job(
            name=self._name(lease.number),
            annotations=_facts(lease),
            template=run_v2.ExecutionTemplate(
                annotations={f"{_OURS}renewal": uuid4().hex}, template=self._idle()
            ),
        )

    def _idle(self) -> run_v2.TaskTemplate:
        """Does nothing, should somebody run it."""
        if self._template is None:
            container = run_v2.Container(image=self._image(), command=["true"])
            self._template = run_v2.TaskTemplate(
                containers=[container], max_retries=0, service_account=self._service_account
            )
        return self._template

    def _name(self, number: int) -> str:
        return f"{self._place.parent}/jobs/{self._job_id(number)}"

    def _job_id(self, number: int) -> str:
        return f"{self._service}-lock-{number}"


def _facts(lease: Lease) -> dict[str, str]:
    facts = {
        "account": lease.owner.account,
        "host": lease.owner.host,
        "process": str(lease.owner.process),
        "run": lease.owner.run,
        "lifetime": lease.owner.lifetime,
        "since": lease.since.isoformat(),
        "seconds-to-live": str(lease.time_to_live.total_seconds()),
        "held": "yes" if lease.held else "no",
        "release-state": lease.release_state,
    }
    return {f"{_OURS}{name}": fact for name, fact in facts.items()}


def _lease_of(job: run_v2.Job, number: int) -> Lease:
    """Any job may have the name of a lease, and people may edit annotations."""
    updated = run_v2.Job.pb(job).update_time.ToDatetime(tzinfo=UTC)
    facts = {name.removeprefix(_OURS): fact for name, fact in job.annotations.items()}
    try:
        return Lease(
            number,
            _owner(facts),
            datetime.fromisoformat(facts["since"]),
            updated,
            _time_to_live(facts["seconds-to-live"]),
            held=facts["held"] == "yes",
            release_state=facts["release-state"],
        )
    except (KeyError, ValueError, OverflowError) as error:
        return Lease.illegible(number, updated, f"job {job.name}: got {error!r}")


def _time_to_live(seconds: str) -> timedelta:
    lives = timedelta(seconds=float(seconds))
    if lives <= timedelta():
        raise ValueError(f"{seconds} s to live")
    return lives


def _owner(facts: Mapping[str, str]) -> LeaseHolder:
    process, lifetime = int(facts["process"]), facts.get("lifetime", "")
    return LeaseHolder(facts["account"], facts["host"], process, facts["run"], lifetime)
