"""What a release before this one has left, because it was killed: taken back, or gone on with."""

from dataclasses import replace

from greenrun.model.errors import ReleaseError
from greenrun.model.image import Digest
from greenrun.model.release_state import ReleaseState, Stage
from greenrun.model.revision import Readiness
from greenrun.release.release import Release


def acquire_lock(release: Release, *, unlock: bool) -> None:
    """Take the lock of the service, if need be out of another's hands, as a person wants it.

    Raises LockHeld.
    """
    lock = release.guard.lock
    if unlock and (ended := lock.break_open(lock.owner)):
        release.guard.note("unlock", str(ended))
        release.dependencies.progress.report(f"ended {ended}")
    release.acquire_lock()


def put_right(release: Release, *, resume: bool) -> None:
    """Take back what a killed release has left, or go on with it; the evidence tells which."""
    told = go_on(release) if resume else take_back(release)
    release.dependencies.evidence.attach("what was left", told)


def left_open(release: Release) -> ReleaseState | None:
    """Where the release before this one stopped; None where it came to an end of its own."""
    last = release.guard.last
    return None if last is None or last.stage.ended else last


def take_back(release: Release) -> str:
    """Bring every user back to the baseline of before; what was found, in a line.

    Raises as Rollback.take does.
    """
    last = left_open(release)
    if last is None:
        return "no release was left unfinished"
    told = described(last)
    release.dependencies.progress.present(f"found {told}; taking it back")
    release.guard.write_release_state(last)
    release.rollback.take()
    release.guard.write_release_state(replace(last, stage=Stage.RESTORED))
    return f"{told}: every user was brought back to {last.baseline}"


def go_on(release: Release) -> str:
    """Take up an unfinished release at its deployment; what was found, in a line.

    Users are brought back to the baseline, the candidate is kept, and the canary begins anew.

    Raises:
        ReleaseError: there is nothing to go on with, or it was another image.
    """
    last = left_open(release)
    if last is None:
        raise ReleaseError("no release was left unfinished", hint="leave out --resume")
    _same_image(release, last)
    told = described(last)
    release.dependencies.progress.present(f"found {told}; going on with it")
    release.guard.write_release_state(replace(last, run=release.guard.run))
    release.before = release.drift.remember(release.service)
    release.rollback.expect_open(release.before)
    _bring_users_back(release, last)
    return f"{told}: going on with it"


def _bring_users_back(release: Release, last: ReleaseState) -> None:
    revision = release.dependencies.platform.revision(last.candidate) if last.candidate else None
    if revision is not None and revision.readiness is Readiness.READY:
        release.keep_candidate(last.candidate)
        release.raise_share(0)
    else:
        release.rollback.take()
        release.drift.remember(release.service)


def _same_image(release: Release, last: ReleaseState) -> None:
    repository, _, manifest = last.image.partition("@")
    if not manifest:
        return
    found = release.dependencies.registry.image_id(repository, Digest(manifest))
    if found != release.build.image.digest:
        raise ReleaseError(
            f"could not go on with {last.candidate}: it runs the image {found or last.image}, "
            f"this tree makes {release.build.image.digest}",
            hint=f"check out what {last.candidate} was made of, or leave out --resume",
        )


def described(last: ReleaseState) -> str:
    """A release that was left open, as people are told of it."""
    what = last.candidate or "without a candidate"
    return f"an unfinished release ({what}, {last.stage.value})"
