"""Proofs that a release is the only one, and that none before it is left half done."""

from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

from greenrun.model.errors import GateClosed, LockHeld
from greenrun.release.coordination.lock import Lock
from greenrun.release.recovery import described, unfinished
from greenrun.release.release import Release


def is_locked(release: Release) -> None:
    """Check that a stranger who locks the service as well is refused."""
    plan, dependencies, lease = release.plan, release.dependencies, release.guard.lock.latest
    if lease is None:
        raise GateClosed(f"{plan.service}: got no lease, needs the lock of this release")
    stranger = replace(lease.owner, run=uuid4().hex)
    other = Lock(
        plan.service, stranger, dependencies.leases, dependencies.clock, plan.lock_time_to_live
    )
    with suppress(LockHeld):
        other.acquire(dependencies.progress.report)
        other.release()
        raise GateClosed(f"{plan.service}: got a second lock, needs {lease} to be the only one")
    dependencies.evidence.attach("lock", str(lease))


def nothing_unfinished(release: Release) -> None:
    """What was found open has ended, or is what this release goes on with."""
    last, now = unfinished(release), release.release_state
    gone_on_with = now is not None and now.run == release.guard.run
    ended = now is not None and now.stage.ended
    if last is not None and not (ended or gone_on_with):
        needs = "needs it taken back, or gone on with"
        raise GateClosed(f"{release.plan.service}: got {described(last)}, {needs}")
