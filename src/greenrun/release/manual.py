"""What people ask for when a release has to be undone by hand, each verified and journalled."""

from dataclasses import replace

from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.image import Digest
from greenrun.model.interfaces import NewRevision, Timeout
from greenrun.model.plan import START_TAG
from greenrun.model.release_state import FIRST_TAG, ReleaseState, Stage
from greenrun.model.revision import Readiness, Revision, RevisionSettings
from greenrun.model.service import Service
from greenrun.model.text import deletion_command
from greenrun.release.recovery import acquire_lock, unfinished
from greenrun.release.release import UNWRITTEN, Release

FIRST_DELETED = "deleted the service that the first release had created"


def send_back(
    release: Release, *, asked_for: bool, to: str, unlock: bool, delete: bool = False
) -> str:
    """Send every user back; the revision that serves them then, empty where none is known.

    A release that closes its own gate goes back to its baseline. `asked_for`: a person wants it,
    of whatever was released last, or to lead to another place (`to`). Where the person names it and
    takes the lock away, nothing that stands on a lease, and no journal, is in the way. `delete`:
    the person allows that a service is deleted which the last release had created and promoted.
    """
    if not asked_for:
        release.roll_back()
        return release.baseline
    if to and unlock:
        release.guard.attempt("lock the service", lambda: acquire_lock(release, unlock=True))
    else:
        acquire_lock(release, unlock=unlock)
    return send_everybody_to(release, to) if to else roll_back_last(release, delete=delete)


def roll_back_last(release: Release, *, delete: bool = False) -> str:
    """Undo the last release, finished or not; the revision that serves everybody now.

    Raises ReleaseError where no release is known, else as Rollback.restore does.
    """
    last = release.guard.last
    if last is None:
        raise ReleaseError(
            f"could not roll {release.plan.service} back: no release of it is known",
            hint="name the revision that shall serve: --to=REVISION",
        )
    if last.is_first and not delete and release.rollback_of(last).has_let_users_in:
        raise ReleaseError(
            f"{release.plan.service} was not rolled back: its last release was the first, so that "
            "the way back is to delete the service; users are served as before",
            hint=f"where nobody shall be served, give leave to delete it:\n"
            f"  {deletion_command(release.plan)}",
        )
    release.rollback_of(last).check()
    undoing = replace(last, stage=Stage.MOVED)
    release.guard.attempt(UNWRITTEN, lambda: release.guard.write_release_state(undoing))
    release.roll_back()
    done = f"rolled back to {last.baseline}"
    release.manual_changes.append(FIRST_DELETED if last.is_first else done)
    return last.baseline


def send_everybody_to(release: Release, target: str) -> str:
    """All traffic to a revision by name, or to an image by digest, which is deployed anew.

    Returns the revision's name. A revision that does not serve yet is started and asked first.
    Raises ReleaseError for one that is not there or not ready, GateClosed where it does not start
    or answer.
    """
    guard, drift, platform = release.guard, release.drift, release.dependencies.platform
    before = drift.remember(release.service)
    name = _deployed(release, target) if target.startswith("sha256:") else target
    _expect_ready(release, name)
    here = drift.remember(release.start_check.run(name, drift.last_seen))
    split = here.resolved.shared({name: 100}).without_tag(START_TAG).without_tag(FIRST_TAG)
    with guard.restoration("send everybody to", name, split=str(split)):
        after = drift.remember(platform.split_traffic(split, here, release.timeout))
    told = f"before: {before.actual}\nafter: {after.actual}"
    guard.attempt(
        "keep the evidence", lambda: release.dependencies.evidence.attach("traffic", told)
    )
    release.manual_changes.append(f"sent every user to {name}")
    guard.attempt(UNWRITTEN, lambda: _write_settled(release, name, after))
    return name


def _write_settled(release: Release, name: str, after: Service) -> None:
    """Nothing of an earlier release is open any more, also where nobody can read what it left."""
    guard, lease = release.guard, release.guard.lock.lease
    if last := unfinished(release):
        guard.write_release_state(replace(last, stage=Stage.LEFT))
    elif guard.last is None and lease and lease.release_state:
        split = after.resolved
        guard.write_release_state(ReleaseState(guard.run, name, split, stage=Stage.LEFT))


def remove_taken_back(release: Release) -> str:
    """Delete the candidate that users were taken back from; its name.

    Raises ReleaseError where none was taken back, CallFailed where the platform still needs it.
    """
    last = release.release_state or release.guard.last
    if last is None or not last.candidate or last.stage is not Stage.RESTORED:
        raise ReleaseError(
            f"no candidate of {release.plan.service} was taken back: there is none to delete"
        )
    if last.is_first:
        return last.candidate
    service = release.drift.remember(release.service)
    if service.latest_created == last.candidate:
        # Cloud Run keeps the latest revision, even without traffic [?].
        _deployed_again(release, _serving(release))
    with release.guard.change("delete revision", last.candidate):
        release.dependencies.platform.remove_revision(last.candidate, release.timeout)
    release.manual_changes.append(f"deleted {last.candidate}")
    return last.candidate


def stop_every_instance(release: Release, *, unlock: bool) -> Service:
    """Scale the service to zero: users get errors from now on; the reading afterwards."""
    acquire_lock(release, unlock=unlock)
    service = release.drift.remember(release.service)
    with release.guard.change("scale to zero", release.plan.service):
        after = release.dependencies.platform.scale_to_zero(service, release.timeout)
    release.manual_changes.append("scaled to zero")
    return release.drift.remember(after)


def _deployed(release: Release, digest: str) -> str:
    """A new revision of an image, with the settings of what serves now, by name."""
    image = f"{release.plan.build.repository}@{Digest(digest)}"
    return _deployed_again(release, replace(_serving(release), image=image), START_TAG)


def _deployed_again(release: Release, revision: Revision, tag: str = "") -> str:
    """A new revision like another one, by name, under a tag; users stay where they are."""
    service, at = release.drift.last_seen, release.dependencies.clock.now()
    name = f"{release.plan.service}-{at:%Y%m%d-%H%M%S}"
    split = service.actual.pinned(service.latest_ready)
    split = split.tagged(name, tag) if tag else split
    timeout = Timeout(release.plan.ready_timeout, release.guard.tell)
    account = release.guard.restoration if tag else release.guard.change
    with account("deploy", name, image=revision.image, split=str(split)):
        wanted = NewRevision(name, revision.image, RevisionSettings(), revision.name)
        after = release.dependencies.platform.deploy(wanted, split, service, timeout)
    release.drift.remember(after)
    return name


def _serving(release: Release) -> Revision:
    split = release.drift.last_seen.resolved
    return _revision(release, max(split.serving, key=split.share))


def _revision(release: Release, name: str) -> Revision:
    found = release.dependencies.platform.revision(name)
    if found is None:
        known = (
            ", ".join(one.name for one in release.dependencies.platform.revisions()[:5]) or "none"
        )
        raise ReleaseError(
            f"{release.plan.service} has no revision {name}: the newest are {known}",
            hint="give one of these, or an image as sha256:DIGEST",
        )
    return found


def _expect_ready(release: Release, name: str) -> None:
    found = _revision(release, name)
    if found.readiness is not Readiness.READY:
        raise GateClosed(f"{name} cannot serve: got {found.readiness.value} {found.message}")
