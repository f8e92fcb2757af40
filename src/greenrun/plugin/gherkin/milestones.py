"""How far a release has come by a sentence, and how far it must have come before one."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])


class Milestone(Enum):
    """What a release has once a sentence has passed; each value completes `needs ...`."""

    LOCK = "the lock"
    BASELINE = "a baseline"
    IMAGE = "an image"
    PUSHED = "an image in the registry"
    CANDIDATE = "a candidate"
    PROMOTED = "a promotion"
    RESTORED = "a way back"
    AT_ZERO = "a service at zero"


(LOCK, BASELINE, IMAGE, PUSHED, CANDIDATE, PROMOTED, RESTORED, AT_ZERO) = Milestone

_REACHES: dict[Callable[..., object], frozenset[Milestone]] = {}
_NEEDS: dict[Callable[..., object], frozenset[Milestone]] = {}


def reaches(*milestones: Milestone) -> Callable[[F], F]:
    """Declare that a release has come so far once this step function has returned.

    A run is a success by the milestones that its sentences have reached, and by nothing else.
    """
    return _declaring(_REACHES, milestones)


def needs(*milestones: Milestone) -> Callable[[F], F]:
    """Declare what a release must have come to before; told where it has not, before it begins."""
    return _declaring(_NEEDS, milestones)


def _declaring(
    table: dict[Callable[..., object], frozenset[Milestone]], milestones: Iterable[Milestone]
) -> Callable[[F], F]:
    def declare(step_function: F) -> F:
        table[step_function] = frozenset(milestones)
        return step_function

    return declare


def reached_by(step_function: Callable[..., object]) -> frozenset[Milestone]:
    """How far a release has come once this step function has returned."""
    return _REACHES.get(step_function, frozenset())


def needed_by(step_function: Callable[..., object]) -> frozenset[Milestone]:
    """How far it must have come before."""
    return _NEEDS.get(step_function, frozenset())


@dataclass
class Reached:
    """How far each environment has come, as sentences pass and the engine takes back."""

    _by_environment: defaultdict[str, set[Milestone]] = field(
        default_factory=lambda: defaultdict(set)
    )

    def add(self, environment: str, milestones: Iterable[Milestone]) -> None:
        """A sentence has passed. Where users were sent back, nothing is promoted any more."""
        here, new = self._by_environment[environment], set(milestones)
        if Milestone.RESTORED in new:
            here.discard(Milestone.PROMOTED)
        here.update(new)

    def withdraw(self, environment: str, milestone: Milestone) -> None:
        """It holds no more."""
        self._by_environment[environment].discard(milestone)

    def has(self, environment: str, milestone: Milestone) -> bool:
        """True where a sentence has reached it, and nothing took it back."""
        return milestone in self._by_environment[environment]
