"""The way back: every user returns to the baseline, and that is proven."""

from dataclasses import dataclass, field

from greenrun.domain.plan import Plan
from greenrun.domain.service import Service
from greenrun.domain.traffic import TrafficSplit
from greenrun.errors import GateClosed, NeedsPerson, ReleaseError
from greenrun.journal import Journal
from greenrun.ports import Patience, Roles
from greenrun.probing import Prober


@dataclass(frozen=True, slots=True)
class WayBack:
    """Leads from any split back to the one of before. Taking it twice is taking it once."""

    plan: Plan
    before: Service
    baseline: str
    prober: Prober = field(repr=False)
    roles: Roles = field(repr=False)
    journal: Journal = field(repr=False)

    def take(self) -> bool:
        """Read, act where something is to be done, verify. True where the split was changed.

        Raises:
            NeedsPerson: it could not be done, or could not be proven.
        """
        try:
            changed = self._restore()
            self._prove()
        except (GateClosed, ReleaseError) as error:
            raise NeedsPerson(
                f"{self.plan.service} could not be brought back to {self.baseline}: "
                f"{error.message}",
                hint=f"send every user back by hand:\n  {self.by_hand}",
            ) from error
        return changed

    @property
    def by_hand(self) -> str:
        """The command that does the same without greenrun."""
        return (
            f"gcloud run services update-traffic {self.plan.service} "
            f"--to-revisions={self.baseline}=100 "
            f"--project={self.plan.place.project} --region={self.plan.place.region}"
        )

    @property
    def _target(self) -> TrafficSplit:
        """The split of before, the baseline by name: LATEST may mean the candidate by now."""
        return self.before.actual.shared({self.baseline: 100})

    def _restore(self) -> bool:
        service = self._read()
        if service.wanted == self._target and service.actual.agrees_with(self._target):
            return False
        self.roles.evidence.attach("traffic before the rollback", str(service.actual))
        patience = Patience(self.plan.change_within, self.roles.progress.report)
        with self.journal.change("roll back", self.plan.service, split=str(self._target)):
            self.roles.platform.split_traffic(self._target, patience)
        self.roles.evidence.attach("traffic after the rollback", str(self._read().actual))
        return True

    def _read(self) -> Service:
        service = self.roles.platform.service()
        if service is None:
            raise ReleaseError(f"{self.plan.service} is gone")
        return service

    def _prove(self) -> None:
        found = self.prober.answering(self.before.url, self.plan.canary.probe_paths[0])
        if found != {self.baseline}:
            raise GateClosed(
                f"got answers from {', '.join(sorted(found)) or 'nobody'}, "
                f"needs them all from {self.baseline}"
            )
