"""The lock of a service: numbered claims, of which the highest alone counts."""

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
    """One claim on a service. Its number is a fencing token: it only ever grows.

    A claim that was let go stays as the mark of the last release, and keeps what that left as
    `release_state` (JSON of a Standing). `renewed_at` is when the platform last heard of it.
    """

    number: int
    owner: LeaseHolder
    since: datetime
    renewed_at: datetime
    time_to_live: timedelta
    held: bool
    release_state: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"claim {self.number} of {self.owner}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"
