"""How a release ended, as a number and as the errors behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from greenrun.model.errors import Hinted, ManualActionRequired
from greenrun.plugin.run.signals import Interrupted

NEEDS_PERSON = 10


def is_plain(error: BaseException) -> bool:
    """True for an error whose message says it all; Python's need their type, and a traceback."""
    return isinstance(error, Hinted | Interrupted | pytest.skip.Exception)


def said(error: BaseException) -> str:
    """What people are told of an error."""
    return str(error) if is_plain(error) else f"{type(error).__name__}: {error}"


@dataclass
class Outcome:
    """What went wrong that pytest has no exit status for."""

    needs_person: list[ManualActionRequired] = field(default_factory=list)

    def note(self, error: BaseException) -> None:
        """Look for a call for help, among an error's causes as well."""
        known = set(map(id, self.needs_person))
        calls = (each for each in _tree(error) if isinstance(each, ManualActionRequired))
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
