"""Any role of a release, with calls that fail when a test says so."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

from greenrun.model.interfaces import Dependencies


@dataclass
class Calls:
    """Calls of all roles, by `role.method` and in their order, once they are `watched`.

    `fails` is asked for each by its number, from 0, and its name; what it returns is raised: before
    the call is passed on, or after it where `answers_are_lost`.
    """

    made: list[str] = field(default_factory=list)
    watched: bool = False
    fails: Callable[[int, str], Exception | None] = field(default=lambda _number, _name: None)
    answers_are_lost: bool = False

    def passing(self, name: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any call
        """Pass a call on, or let it fail."""
        if not self.watched:
            return call(*args, **kwargs)
        number = len(self.made)
        self.made.append(name)
        error = self.fails(number, name)
        if error is not None and not self.answers_are_lost:
            raise error
        answer = call(*args, **kwargs)
        if error is not None:
            raise error
        return answer


class Breaking:
    """Stands for a role, or for anything else that is called by its methods."""

    def __init__(self, target: object, name: str, calls: Calls) -> None:
        self._target, self._name, self._calls = target, name, calls

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401 - whatever the role has
        found = getattr(self._target, attribute)
        if not callable(found):
            return found
        return partial(self._calls.passing, f"{self._name}.{attribute}", found)


def breaking(dependencies: Dependencies, calls: Calls) -> Dependencies:
    """The same roles, each of which may fail."""
    roles = {
        role.name: Breaking(getattr(dependencies, role.name), role.name, calls)
        for role in fields(Dependencies)
    }
    return Dependencies(**roles)
