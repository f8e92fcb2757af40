"""The footing of a release: the service as it left it, unless somebody else has changed it."""

from dataclasses import dataclass

from greenrun.model.errors import ConcurrentChange, ReleaseError
from greenrun.model.interfaces import Platform
from greenrun.model.plan import Plan
from greenrun.model.service import Service


@dataclass(slots=True)
class DriftGuard:
    """Remembers the reading after the last change; each further change rests on it."""

    plan: Plan
    platform: Platform
    _left: Service | None = None

    @property
    def left(self) -> Service:
        """The service as this release left it. Raises ReleaseError before it was looked at."""
        if self._left is None:
            raise ReleaseError(
                "the baseline is not known in this run", hint="run features/ as a whole"
            )
        return self._left

    def remember(self, reading: Service) -> Service:
        """Take a reading, or the outcome of a change, as what everything further rests on."""
        self._left = reading
        return reading

    def check_unchanged(self) -> None:
        """Look again; an older reading than ours is only stale.

        Raises:
            ConcurrentChange: telling who changed what, and when.
        """
        left, found = self.left, self.platform.service()
        if found is None:
            raise ConcurrentChange(f"{self.plan.service} was deleted by somebody")
        stale = found.generation < left.generation
        same = found.generation == left.generation and found.wanted.matches(left.wanted)
        if not (stale or same):
            raise changed(left, found)


def changed(left: Service, found: Service) -> ConcurrentChange:
    """What to say of a service that another than this release has changed."""
    who = found.changed_by or "somebody"
    when = f" at {found.changed_at}" if found.changed_at else ""
    return ConcurrentChange(
        f"{left.name} was changed by {who}{when}: got generation {found.generation} with "
        f"{found.wanted}, needs generation {left.generation} with {left.wanted}, as this release "
        "left it",
        hint=f"speak with {who}, then release again: nothing of theirs was overwritten",
    )
