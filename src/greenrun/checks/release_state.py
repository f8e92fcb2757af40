"""Proofs that a release is the only one, and that none before it is left half done."""

from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

from greenrun.model.errors import GateClosed, LockHeld
from greenrun.release.coordination.lock import Lock
from greenrun.release.recovery import described, left_open
from greenrun.release.release import Release


def is_locked(release: Release) -> None:
    """A stranger who claims the service as well is refused."""
    plan, roles, claim = release.plan, release.roles, release.account.lock.latest
    if claim is None:
        raise GateClosed(f"{plan.service}: got no claim, needs the lock of this release")
    stranger = replace(claim.owner, run=uuid4().hex)
    other = Lock(plan.service, stranger, roles.claims, roles.clock, plan.lock_time_to_live)
    with suppress(LockHeld):
        other.take(roles.progress)
        other.let_go()
        raise GateClosed(f"{plan.service}: got a second lock, needs {claim} to be the only one")
    roles.evidence.attach("lock", str(claim))


def nothing_unfinished(release: Release) -> None:
    """What was found open has ended, or is what this release goes on with."""
    last, now = left_open(release), release.standing
    gone_on_with = now is not None and now.run == release.account.run
    ended = now is not None and now.stage.ended
    if last is not None and not (ended or gone_on_with):
        needs = "needs it taken back, or gone on with"
        raise GateClosed(f"{release.plan.service}: got {described(last)}, {needs}")
