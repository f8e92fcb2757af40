"""The way back: every user returns to the baseline, and that is proven."""

from dataclasses import dataclass, field

from greenrun.model.errors import GateClosed, LockLost, ManualActionRequired, ReleaseError
from greenrun.model.interfaces import Dependencies, Timeout
from greenrun.model.plan import Plan
from greenrun.model.release_state import ReleaseState
from greenrun.model.service import Service
from greenrun.model.text import restore_command, traffic_command
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.prober import Prober


@dataclass(frozen=True, slots=True)
class Rollback:
    """Leads from wherever a release stands to the split of before. Twice is the same as once."""

    plan: Plan
    release_state: ReleaseState
    prober: Prober = field(repr=False)
    dependencies: Dependencies = field(repr=False)
    guard: ChangeGuard = field(repr=False)

    def take(self) -> bool:
        """Read, act where something is to be done, verify. True where the split was changed.

        A split that somebody else has set is left as it is. A release that has asked for nothing
        has moved nobody: that the split is as before is proof enough.

        Raises:
            LockLost: another release has taken over, and with it the care for the users.
            ManualActionRequired: it may not be done, could not be done, or could not be proven.
        """
        try:
            changed = self._restore()
            if self.release_state.asked:
                self._prove()
        except (LockLost, ManualActionRequired):
            raise
        except (GateClosed, ReleaseError) as error:
            raise self._undone(error) from error
        return changed

    @property
    def by_hand(self) -> str:
        """The command that does the same without greenrun."""
        return traffic_command(self.plan, self.release_state.baseline)

    def _restore(self) -> bool:
        service, target = self._read(), self.release_state.before
        self.expect_open(service)
        as_before = service.wanted.matches(target) and service.actual.matches(target)
        if as_before or not self.release_state.asked:
            return False
        self.dependencies.evidence.attach("traffic before the rollback", str(service.actual))
        timeout = Timeout(self.plan.change_within, self.dependencies.progress.report)
        with self.guard.change("roll back", self.plan.service, split=str(target)):
            after = self.dependencies.platform.split_traffic(target, service, timeout)
        self.dependencies.evidence.attach("traffic after the rollback", str(after.actual))
        return True

    def expect_open(self, service: Service) -> None:
        """Raise ManualActionRequired for a contracted schema, or somebody else's split."""
        if self.release_state.contracted:
            raise self._frozen(service)
        # LATEST is pinned in what a release remembers.
        asked = (service.wanted, service.wanted.pinned(service.latest_ready))
        if not any(map(self.release_state.knows, asked)):
            raise self._somebody_elses(service)

    def _undone(self, error: GateClosed | ReleaseError) -> ManualActionRequired:
        return ManualActionRequired(
            f"{self.plan.service} could not be brought back to {self.release_state.baseline}: "
            f"{error.message}",
            hint=self._advice,
        )

    def _somebody_elses(self, service: Service) -> ManualActionRequired:
        who, candidate = service.changed_by or "somebody", self.release_state.candidate
        met = "users meet" if service.resolved.share(candidate) else "no user meets"
        met = f", in which {met} the candidate {candidate}" if candidate else ""
        return ManualActionRequired(
            f"{self.plan.service} was given another split by {who}: got {service.wanted}{met}; "
            "it was left as it is",
            hint=f"speak with {who}; then say who shall serve:\n  {restore_command(self.plan)}",
        )

    def _frozen(self, service: Service) -> ManualActionRequired:
        return ManualActionRequired(
            f"{self.plan.service} is frozen as it is, {service.actual}: its schema was contracted, "
            f"and {self.release_state.baseline} cannot work with it any more",
            hint=self._advice,
        )

    @property
    def _advice(self) -> str:
        if self.release_state.contracted:
            settle = restore_command(self.plan)
            return f"the way is forward: mend the candidate, say who serves:\n  {settle}"
        return f"send every user back by hand:\n  {self.by_hand}"

    def _read(self) -> Service:
        service = self.dependencies.platform.service()
        if service is None:
            raise ReleaseError(f"{self.plan.service} is gone")
        return service

    def _prove(self) -> None:
        found = self.prober.answering(self._read().url, self.plan.canary.probe_paths[0])
        if found != {self.release_state.baseline}:
            raise GateClosed(
                f"got answers from {', '.join(sorted(found)) or 'nobody'}, "
                f"needs them all from {self.release_state.baseline}"
            )
