"""The course of a run: where it leads, and what is still attempted after something failed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from greenrun.plugin.gherkin.tags import Kind
from greenrun.plugin.run.mode import RunMode

WENT_THROUGH = "the release went through"


@dataclass
class StopPolicy:
    """Knows where to, and remembers what failed.

    `forward` are the environments with a way forward in this run; `why` says why it leads through
    these environments.
    """

    mode: RunMode
    environments: Sequence[str]
    forward: frozenset[str] = frozenset()
    why: str = ""
    _stopped: dict[tuple[str, Kind], str] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        alone = " only" if len(self.environments) == 1 else ""
        return f"{', then '.join(self.environments)}{alone}: {self.why}"

    @property
    def stopped_at(self) -> str:
        """The scenario that failed first, or nothing."""
        return next(iter(self._failed.values()), "")

    def fail(self, environment: str, kind: Kind, place: str) -> None:
        """A scenario failed. The rest of the way that it belongs to is not attempted."""
        self._failed.setdefault(environment, place)
        if not self.mode.goes_on:
            self._stopped.setdefault((environment, kind), place)

    def reason_to_skip(self, environment: str, kind: Kind) -> str:
        """Why a scenario is not attempted; empty when it is.

        The way back and the record of an environment run whatever happened to its way forward. They
        are left out where that was never begun, because an earlier environment failed.
        """
        if environment in self.forward:
            if obstacle := self._failed_before(environment):
                return f"stopped at {obstacle}"
            if kind is Kind.WAY_BACK and environment not in self._failed:
                return WENT_THROUGH
        way = Kind.FORWARD if kind is Kind.DRILL else kind
        stopped = self._stopped.get((environment, way))
        return f"stopped at {stopped}" if stopped and kind is not Kind.RECORD else ""

    def _failed_before(self, environment: str) -> str:
        earlier = self.environments[: self.environments.index(environment)]
        return next((self._failed[name] for name in earlier if name in self._failed), "")
