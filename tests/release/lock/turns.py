"""Actors that take turns: one runs at a time, and who comes next is chosen at every step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from greenlet import greenlet

from greenrun.model.interfaces import Leases
from greenrun.model.lease import Lease


class Actor:
    """Runs from one `pause` to the next whenever it is its turn, in the thread of whoever says so.

    Hundreds of thousands of turns are taken: handing each to a thread would take most of the time.
    """

    def __init__(self, act: Callable[["Actor"], None]) -> None:
        self._act = act
        self._turns = greenlet(self._run)
        self.error: BaseException | None = None

    @property
    def ended(self) -> bool:
        return bool(self._turns.dead)

    def pause(self) -> None:
        """Whoever has ended takes no turns any more."""
        if not self.ended:
            assert self._turns.parent
            self._turns.parent.switch()

    def step(self) -> None:
        self._turns.switch()

    def _run(self) -> None:
        try:
            self._act(self)
        except Exception as error:  # noqa: BLE001 - it is raised where the actors were started
            self.error = error


@dataclass
class Stepwise:
    """Claims, each call of which is a turn of its own. `made` is the last number that was got."""

    leases: Leases
    actor: Actor
    made: int = 0

    def all(self) -> Sequence[Lease]:
        self.actor.pause()
        return self.leases.all()

    def create(self, lease: Lease) -> bool:
        self.actor.pause()
        got = self.leases.create(lease)
        self.made = lease.number if got else self.made
        return got

    def update(self, lease: Lease) -> None:
        self.actor.pause()
        self.leases.update(lease)

    def remove(self, number: int) -> None:
        self.actor.pause()
        self.leases.remove(number)


@dataclass
class Schedule:
    """Whose turn it is, as a list of choices; where that ends, the first who can."""

    choices: Sequence[int] = ()
    taken: list[tuple[int, int]] = field(default_factory=list)

    def play(self, *acts: Callable[[Actor], None]) -> None:
        """To the end of all actors; raises what any of them raised."""
        actors = [Actor(act) for act in acts]
        while able := [actor for actor in actors if not actor.ended]:
            able[self._choice(len(able))].step()
        for actor in actors:
            if actor.error:
                raise actor.error

    def _choice(self, options: int) -> int:
        step = len(self.taken)
        choice = self.choices[step] % options if step < len(self.choices) else 0
        self.taken.append((choice, options))
        return choice


def every_schedule() -> Iterator[Schedule]:
    """Every way in which deterministic actors can interleave; each must be played to its end."""
    schedule = Schedule()
    while True:
        yield schedule
        taken = list(schedule.taken)
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        if not taken:
            return
        *before, (choice, _) = taken
        schedule = Schedule([*(one for one, _ in before), choice + 1])
