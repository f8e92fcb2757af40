"""What is told of a release while it runs, to whoever wants to pass it on."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ReleaseEvent:
    """One moment of a release, as the hooks of greenrun.plugin.hookspecs hand it over.

    Text is empty, and anything else None, where it is not known at that moment. `share` is the
    candidate's part of the users in percent; `reason` one line, redacted; `at` when it was told.
    """

    environment: str
    service: str = ""
    baseline: str = ""
    candidate: str = ""
    share: int | None = None
    reason: str = ""
    started: datetime | None = None
    at: datetime | None = None
    exit_status: int | None = None
