"""How a release ended, as a number and as the errors behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from greenrun.errors import NeedsPerson

NEEDS_PERSON = 10


@dataclass
class Outcome:
    """What went wrong that pytest has no exit status for."""

    needs_person: list[NeedsPerson] = field(default_factory=list)

    def note(self, error: BaseException) -> None:
        """Look for a call for help, among an error's causes as well."""
        known = set(map(id, self.needs_person))
        calls = (each for each in _tree(error) if isinstance(each, NeedsPerson))
        self.needs_person += [call for call in calls if id(call) not in known]


def _tree(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error with all that it groups or follows from."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        members = each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        waiting += [*members, each.__cause__, each.__context__]
