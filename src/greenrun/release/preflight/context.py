"""The context that a check reads, and the problems that it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from greenrun.model.image import Source
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import Plan
from greenrun.model.stats import SequentialTest
from greenrun.release.coordination.lock import Lock
from greenrun.release.prober import Prober


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it has to be: `WHAT: got X, needs Y`, and what to do about it."""

    text: str
    hint: str = ""

    def __str__(self) -> str:
        told = f"{self.text}; hint: {self.hint}" if self.hint else self.text
        return " / ".join(filter(None, map(str.strip, told.splitlines())))


@dataclass(frozen=True, slots=True)
class Context:
    """A release that has not begun. Checks read it, and change nothing but what they measured.

    `trial` is the test that each metric source of the canary is judged by. `lock` is the release's
    own, which it does not hold yet; `unlock`: a person wants to end whoever holds it. `prober` asks
    the service as its users do.
    """

    plan: Plan
    dependencies: Dependencies
    source: Source
    trial: SequentialTest
    lock: Lock
    prober: Prober
    unlock: bool = False
    measured: list[str] = field(default_factory=list)

    def measure(self, what: str, found: object) -> None:
        """Keep one thing that was found, as evidence."""
        self.measured.append(f"{what}: {found}")


CheckFunction = Callable[[Context], Iterator[Problem]]
"""A check; it may raise ReleaseError where it cannot be made."""
