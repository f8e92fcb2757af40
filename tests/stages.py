"""A release as far as a test needs it, and the next one after it."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from greenrun.model.errors import CallFailed
from greenrun.model.plan import Plan
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from greenrun.release.release import Release


def begun(release: Release) -> Release:
    """Holds the lock, and knows the baseline."""
    if not release.guard.lock.lease:
        release.acquire_lock()
    release.find_baseline()
    return release


def deployed(release: Release) -> Release:
    """The candidate is ready, and users do not reach it."""
    begun(release)
    release.build_image()
    release.push_image()
    release.deploy()
    return release


def moved(release: Release) -> Release:
    """One user in ten reaches the candidate."""
    deployed(release)
    release.raise_share(10)
    return release


def promoted(release: Release) -> Release:
    """Every user reaches the candidate."""
    deployed(release)
    release.promote()
    return release


def next_run(release: Release, run: str = "the-next-run", plan: Plan | None = None) -> Release:
    """A release of the same service, some minutes later, by another process on this disk.

    The one before ends here as it stands, and its lock with it, if only for want of beats.
    """
    with suppress(CallFailed):
        release.guard.lock.release()
    release.dependencies.clock.sleep(timedelta(minutes=3))
    plan, dependencies, owner = (
        plan or release.plan,
        release.dependencies,
        release.guard.lock.owner,
    )
    lock = Lock(
        plan.service,
        replace(owner, run=run),
        dependencies.leases,
        dependencies.clock,
        plan.lease_duration,
    )
    guard = ChangeGuard(
        Journal(release.guard.journal.path, dependencies.clock), lock, run, dependencies.progress
    )
    return Release(plan, dependencies, guard, {"a user": {}}, release.source)
