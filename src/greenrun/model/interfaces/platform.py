"""Cloud Run, and who may use it how."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from greenrun.model.interfaces.timeout import Timeout
from greenrun.model.lease import Lease
from greenrun.model.revision import NOTHING_SAID, Revision, RevisionSettings, ServiceSettings
from greenrun.model.service import Service
from greenrun.model.traffic import LATEST, TrafficSplit

ALL_TO_LATEST = TrafficSplit.all_to(LATEST)


@dataclass(frozen=True, slots=True)
class NewRevision:
    """A revision that is wanted; `image` is a reference by digest.

    `baseline` is the revision that its settings are laid over: what they do not say is as it has
    it. Empty, there is none, as of a new service; the platform then fills in what is not said.
    """

    name: str
    image: str
    settings: RevisionSettings = field(repr=False)
    baseline: str = ""
    service_settings: ServiceSettings = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class Job:
    """A command of an image, run once to its end, with the settings of a revision.

    `baseline` is the revision that its settings are laid over, as those of NewRevision are.
    """

    name: str
    image: str
    command: tuple[str, ...]
    settings: RevisionSettings = field(repr=False)
    baseline: str = ""


@dataclass(frozen=True, slots=True)
class Execution:
    """A job that has ended. `name` is the execution's short name, by which its log is found."""

    name: str
    succeeded: bool
    reason: str = ""


class Platform(Protocol):
    """Cloud Run, one service in one place.

    Every call raises CallFailed when refused (NOT_FOUND aside, which reads None), and
    DeadlineExceeded with what it last saw. A change returns when it has taken effect, however its
    own answers were lost or late; it may be sent more than once and takes effect once.

    A change of the service rests on a reading of it, `before`, and returns the reading after it. It
    raises ConcurrentChange, and changes nothing more, where the service is not as `before` says.
    """

    def service(self) -> Service | None:
        """One reading; None where the service does not exist."""

    def service_settings(self) -> ServiceSettings:
        """One reading of what the service has whatever its revision; nothing without a service."""

    def revision(self, name: str) -> Revision | None:
        """One reading of a revision, by its short name."""

    def revisions(self) -> Sequence[Revision]:
        """Every revision of the service, newest first."""

    def create(
        self, wanted: NewRevision, timeout: Timeout, split: TrafficSplit = ALL_TO_LATEST
    ) -> None:
        """Create the service with its first revision, which gets all traffic.

        Nobody may invoke it but who may invoke every service of the project. `split` may add
        revision tags. Raises GateClosed with the platform's reason when it cannot start; the
        service is there then.
        """

    def deploy(
        self, wanted: NewRevision, split: TrafficSplit, before: Service, timeout: Timeout
    ) -> Service:
        """Make a revision, with the split that shall hold once it is ready.

        Raises GateClosed with the platform's reason when the revision cannot start.
        """

    def split_traffic(
        self,
        split: TrafficSplit,
        before: Service,
        timeout: Timeout,
        settings: ServiceSettings = NOTHING_SAID,
    ) -> Service:
        """Replace the split; returns when it is the actual one.

        Where `settings` say anything, the service has exactly these from then on, in one change;
        where not, nothing else is touched.
        """

    def scale_to_zero(self, before: Service, timeout: Timeout) -> Service:
        """Stop every instance: users get errors until `scale_by_load`. The split stays."""

    def scale_by_load(self, before: Service, timeout: Timeout) -> Service:
        """Let the platform choose the number of instances again."""

    def remove_revision(self, name: str, timeout: Timeout) -> None:
        """Delete a revision that has no traffic and no tag. Nothing happens where there is none."""

    def invokable_by_all(self) -> bool:
        """True when users need no identity to reach the service."""

    def let_all_invoke(self) -> None:
        """Grant everybody the invoker role, keeping all other bindings."""

    def run(self, job: Job, timeout: Timeout) -> Execution:
        """Create or replace the job, run it once, without retries; returns when it has ended."""

    def remove_service(self, timeout: Timeout) -> None:
        """Delete the service with all its revisions. Nothing happens where there is none."""

    def remove_job(self, name: str, timeout: Timeout) -> None:
        """Delete a job with its executions. Nothing happens where there is none."""


class Leases(Protocol):
    """Leases on one service, where every release of it can see them.

    Only `create` has to be atomic. Every call raises CallFailed when refused.
    """

    def all(self) -> Sequence[Lease]:
        """Every lease, the highest number first, also those that cannot be read."""

    def create(self, lease: Lease) -> bool:
        """Take a number; False where it is taken. Of any number of callers one gets True."""

    def update(self, lease: Lease) -> None:
        """Write one's own lease, which renews it."""

    def remove(self, number: int) -> None:
        """Take a lower lease away. Nothing happens where there is none."""


class Access(Protocol):
    """Whose credentials a release works with, and what they allow."""

    def account(self) -> str:
        """The account, as people know it. Raises CallFailed where there are no credentials."""

    def missing(self, permissions: Sequence[str]) -> Sequence[str]:
        """Those of the permissions (`run.services.update`) that it does not have in the project."""


class SecretStore(Protocol):
    """Secrets by reference."""

    def exists(self, secret: str, version: str) -> bool:
        """True for an enabled version."""

    def read(self, secret: str, version: str) -> str:
        """Its value. Raises CallFailed where it cannot be read; whoever asks keeps it secret."""
