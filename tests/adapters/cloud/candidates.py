"""Revisions that tests want, and somebody who watches them come."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from greenrun.model.interfaces import NewRevision, Platform, Timeout
from greenrun.model.revision import ContainerProbe, RevisionSettings
from greenrun.model.service import Service

QUICK = ContainerProbe(period=timedelta(seconds=1), failure_threshold=10)


@dataclass
class Watcher:
    """Keeps what was shown while somebody waited."""

    seconds: float = 20
    shown: list[str] = field(default_factory=list)

    @property
    def timeout(self) -> Timeout:
        return Timeout(timedelta(seconds=self.seconds), self.shown.append)


def revision(name: str, program: str = "echo", **settings: object) -> NewRevision:
    """A revision `web-NAME` of one of the runtime's programs."""
    wanted = RevisionSettings(**{"startup_probe": QUICK, **settings})  # type: ignore[arg-type] # keywords as RevisionSettings has them
    return NewRevision(f"web-{name}", f"in-process/{program}", wanted)


def reading(platform: Platform) -> Service:
    """The service as it stands, for what rests on it."""
    service = platform.service()
    assert service is not None
    return service


Found = TypeVar("Found")


def until(attempt: Callable[[], Found | None], seconds: float = 15) -> Found:
    """What the attempt finds, once it is not nothing."""
    deadline = time.monotonic() + seconds
    while not (found := attempt()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found
