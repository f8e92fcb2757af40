"""Owners, and the locks that they contend for."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from greenrun.model.interfaces import Leases
from greenrun.model.lease import Lease, LeaseHolder
from greenrun.release.coordination.lock import Lock
from tests.fakes import FakeClock

TIME_TO_LIVE = timedelta(seconds=90)
EIGHT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def owner(name: str) -> LeaseHolder:
    """Each a run of its own."""
    return LeaseHolder(f"{name}@example.com", f"{name}s-host", 4711, f"run-{uuid4()}")


def lock(name: str, leases: Leases, clock: FakeClock | None = None) -> Lock:
    return Lock("web", owner(name), leases, clock or FakeClock(EIGHT), TIME_TO_LIVE)


def lease(
    number: int = 1,
    name: str = "dora",
    renewed_at: datetime = EIGHT,
    *,
    held: bool = True,
    release_state: str = "",
    time_to_live: timedelta = TIME_TO_LIVE,
) -> Lease:
    return Lease(number, owner(name), renewed_at, renewed_at, time_to_live, held, release_state)
