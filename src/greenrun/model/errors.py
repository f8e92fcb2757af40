"""Everything that can stop a release.

    GateClosed (AssertionError)        the candidate was judged, and must not go on
    ReleaseError                       nothing could be judged
    |-- SettingsError                  release.yaml or env.yaml; all complaints at once
    |-- CallFailed                     a service, the engine or the network said no
    |-- DeadlineExceeded               waited as agreed; says what for and what was last seen
    |-- ConcurrentChange               another than this release has changed the service
    |-- LockHeld                       another release of the service is under way
    |-- LockLost                       the lock is not ours any more; users are moved no further
    `-- ManualActionRequired           production is not as it was, and greenrun cannot mend it

A message reads: what could not be done, to what, got X, needs Y; its hint: what to do next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class Hinted(Exception):
    """An error that may know the one thing to do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


def described(error: BaseException) -> str:
    """Return what went wrong without a hint; Python's own errors go by their type as well."""
    return error.message if isinstance(error, Hinted) else f"{type(error).__name__}: {error}"


class GateClosed(Hinted, AssertionError):
    """The candidate was measured and found wanting, or could not be measured."""


class ReleaseError(Hinted):
    """The release could not go on, and this says nothing about the candidate."""


class CallFailed(ReleaseError):
    """A remote call was refused or got no answer."""


class DeadlineExceeded(ReleaseError):
    """Something took longer than agreed."""

    def __init__(
        self, awaited: str, *, after: timedelta, last_seen: str = "nothing", hint: str = ""
    ) -> None:
        super().__init__(
            f"waited {after.total_seconds():g} s for {awaited}, last saw: {last_seen}", hint=hint
        )
        self.last_seen = last_seen


class ConcurrentChange(ReleaseError):
    """The service is not as this release left it; the message tells who changed what."""


class LockHeld(ReleaseError):
    """Another release of the same service is under way; the message tells whose."""


class LockLost(ReleaseError):
    """This release does not hold its lock (any more): it moves users no further."""


class ManualActionRequired(ReleaseError):
    """Production is not as it was before the release, or nobody could prove that it is.

    The hint says what a person has to do. A run that has met one ends with exit status 10.
    """


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong in a file that people write; `line` is 0 where no line is to blame."""

    file: str
    line: int
    key: str
    got: str
    needs: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: got {self.got}, needs {self.needs}"


class SettingsError(ReleaseError):
    """What people wrote cannot be meant."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        super().__init__("\n".join(map(str, complaints)))
        self.complaints = tuple(complaints)
