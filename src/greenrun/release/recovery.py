"""An unfinished release, which was killed, is rolled back or resumed by the one after it."""

from dataclasses import replace

from greenrun.model.errors import ReleaseError
from greenrun.model.image import Digest
from greenrun.model.release_state import ReleaseState, Stage
from greenrun.model.revision import Readiness
from greenrun.release.release import UNWRITTEN, Release


def acquire_lock(release: Release, *, unlock: bool) -> None:
    """Take the lock of the service, if need be out of another's hands, as a person wants it.

    Raises LockHeld.
    """
    lock, guard = release.guard.lock, release.guard
    if unlock and (ended := lock.force_release(lock.owner)):
        guard.attempt("write the journal", lambda: guard.note("unlock", str(ended)))
        guard.tell(f"ended {ended}")
    release.acquire_lock()


def recover(release: Release, *, resume: bool) -> None:
    """Roll back what a killed release has left, or resume it; the evidence tells which."""
    told = resume_unfinished(release) if resume else roll_back_unfinished(release)
    attach = release.dependencies.evidence.attach
    release.guard.attempt("keep the evidence", lambda: attach("what was left", told))


def unfinished(release: Release) -> ReleaseState | None:
    """Return where the release before this one stopped; None where it came to an end of its own."""
    last = release.guard.last
    return None if last is None or last.stage.ended else last


def roll_back_unfinished(release: Release) -> str:
    """Bring every user back to the baseline of before; return what was found, in a line.

    Raises as Rollback.restore does.
    """
    last = unfinished(release)
    if last is None:
        return "no release was left unfinished"
    told, guard = described(last), release.guard
    present = release.dependencies.progress.present
    if last.is_first and release.rollback_of(last).has_let_users_in:
        return _leave_to_users(release, last)
    guard.attempt("tell of it", lambda: present(f"found {told}; rolling it back"))
    guard.attempt(UNWRITTEN, lambda: guard.write_release_state(last))
    release.roll_back()
    if last.is_first:
        return f"{told}: what it had created was deleted"
    return f"{told}: every user was brought back to {last.baseline}"


def _leave_to_users(release: Release, last: ReleaseState) -> str:
    """Keep a service that users were let in to: it is the baseline of whatever comes next."""
    told = f"{described(last)}: users had been let in, and {release.plan.service} stays theirs"
    release.dependencies.progress.present(f"found {told}")
    release.guard.write_release_state(replace(last, stage=Stage.LEFT))
    return told


def resume_unfinished(release: Release) -> str:
    """Resume an unfinished release at its deployment; return what was found, in a line.

    Users are brought back to the baseline, the candidate is kept, and the canary begins anew.

    Raises:
        ReleaseError: there is nothing to resume, or it was another image.
    """
    last = unfinished(release)
    if last is None:
        raise ReleaseError("no release was left unfinished", hint="leave out --resume")
    _same_image(release, last)
    told = described(last)
    release.dependencies.progress.present(f"found {told}; resuming it")
    release.guard.write_release_state(replace(last, run=release.guard.run))
    if last.is_first:
        _keep_first(release, last)
        return f"{told}: resuming it"
    release.before = release.drift.remember(release.service)
    release.rollback.check_allowed(release.before)
    _bring_users_back(release, last)
    return f"{told}: resuming it"


def _keep_first(release: Release, last: ReleaseState) -> None:
    """Keep the candidate of a first release, where it is ready; else it is made anew."""
    release.rollback.check()
    revision = release.dependencies.platform.revision(last.candidate) if last.candidate else None
    if revision is not None and revision.readiness is Readiness.READY:
        release.keep_candidate(last.candidate)
        release.drift.remember(release.service)
    else:
        release.rollback.restore()


def _bring_users_back(release: Release, last: ReleaseState) -> None:
    revision = release.dependencies.platform.revision(last.candidate) if last.candidate else None
    if revision is not None and revision.readiness is Readiness.READY:
        release.keep_candidate(last.candidate)
        here = release.drift.last_seen
        release.drift.remember(release.start_check.run(last.baseline, here))
        release.raise_share(0)
    else:
        release.rollback.restore()
        release.drift.remember(release.service)


def _same_image(release: Release, last: ReleaseState) -> None:
    repository, _, manifest = last.image.partition("@")
    if not manifest:
        return
    found = release.dependencies.registry.image_id(repository, Digest(manifest))
    if found != release.build.image.digest:
        raise ReleaseError(
            f"could not resume {last.candidate}: it runs the image {found or last.image}, "
            f"this tree makes {release.build.image.digest}",
            hint=f"check out what {last.candidate} was made of, or leave out --resume",
        )


def described(last: ReleaseState) -> str:
    """A release that was left open, as people are told of it."""
    what, which = last.candidate or "without a candidate", "first " if last.is_first else ""
    return f"an unfinished {which}release ({what}, {last.stage.value})"
