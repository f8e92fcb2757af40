"""The course of a release: what is still attempted after something failed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from greenrun.suite.tags import Kind

WENT_THROUGH = "the release went through"


@dataclass
class Course:
    """Remembers what failed. `forward` are the environments with a way forward in this run."""

    environments: Sequence[str]
    forward: frozenset[str]
    _stopped: dict[str, str] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)

    @property
    def stopped_at(self) -> str:
        """The scenario that failed first, or nothing."""
        return next(iter(self._failed.values()), "")

    def fail(self, environment: str, kind: Kind, place: str) -> None:
        """A scenario failed. Only one of the way forward stops the rest of its environment."""
        self._failed.setdefault(environment, place)
        if kind is Kind.FORWARD:
            self._stopped.setdefault(environment, place)

    def reason_to_skip(self, environment: str, kind: Kind) -> str:
        """Why a scenario is not attempted; empty when it is.

        The way back and the record of an environment run whatever happened to it. They are left out
        where its way forward was never begun, because an earlier environment failed.
        """
        if environment not in self.forward:
            return ""
        if obstacle := self._failed_before(environment):
            return f"stopped at {obstacle}"
        stopped = self._stopped.get(environment)
        if kind is Kind.WAY_BACK:
            return "" if environment in self._failed else WENT_THROUGH
        return f"stopped at {stopped}" if stopped and kind is not Kind.RECORD else ""

    def _failed_before(self, environment: str) -> str:
        earlier = self.environments[: self.environments.index(environment)]
        return next((self._failed[name] for name in earlier if name in self._failed), "")
