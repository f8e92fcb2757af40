"""The lock of a service: numbered leases, of which the highest alone counts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who releases: an account, the host and the process it works from, and this one run of it.

    `lifetime` tells the process from any other, on this machine and elsewhere; empty where the
    system cannot tell.
    """

    account: str
    host: str
    process: int
    run: str
    lifetime: str = ""

    def __str__(self) -> str:
        return f"{self.account} on {self.host} (process {self.process})"


@dataclass(frozen=True, slots=True)
class Lease:
    """One lease on a service. Its number is a fencing token: it only ever grows.

    A lease that was released stays as the mark of the last release, and keeps what that left as
    `release_state` (JSON of a ReleaseState). `renewed_at` is when the platform last heard of it.
    `unreadable` says why something that is named like a lease cannot be read as one; nothing but
    `number` and `renewed_at` is known of it then.
    """

    number: int
    owner: LeaseHolder
    since: datetime
    renewed_at: datetime
    time_to_live: timedelta
    held: bool
    release_state: str = field(default="", repr=False)
    unreadable: str = field(default="", repr=False)

    @classmethod
    def illegible(cls, number: int, renewed_at: datetime, why: str) -> "Lease":
        """Return a lease of somebody unknown, who may hold it."""
        unknown = LeaseHolder("somebody", "", 0, "")
        return cls(number, unknown, renewed_at, renewed_at, timedelta(), held=True, unreadable=why)

    def __str__(self) -> str:
        if self.unreadable:
            return f"lease {self.number}, which cannot be read ({self.unreadable})"
        return f"lease {self.number} of {self.owner}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"
