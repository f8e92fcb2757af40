"""What people ask for when a release has to be undone by hand, each verified and journalled."""

from dataclasses import replace

from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.image import Digest
from greenrun.model.interfaces import NewRevision, Timeout
from greenrun.model.release_state import Stage
from greenrun.model.revision import Readiness, Revision
from greenrun.model.service import Service
from greenrun.release.recovery import acquire_lock, left_open
from greenrun.release.release import Release


def send_back(release: Release, *, asked_for: bool, to: str, unlock: bool) -> str:
    """Send every user back; the revision that serves them then, empty where none is known.

    A release that closes its own gate goes back to its baseline. `asked_for`: a person wants it,
    of whatever was released last, or to lead to another place (`to`).
    """
    if not asked_for:
        release.roll_back()
        return release.baseline
    acquire_lock(release, unlock=unlock)
    return send_everybody_to(release, to) if to else roll_back_last(release)


def roll_back_last(release: Release) -> str:
    """Undo the last release, finished or not; the revision that serves everybody now.

    Raises ReleaseError where no release is known, else as Rollback.take does.
    """
    last = release.guard.last
    if last is None:
        raise ReleaseError(
            f"could not roll {release.plan.service} back: no release of it is known",
            hint="name the revision that shall serve: --to=REVISION",
        )
    release.way_back_of(last).expect_open(release.service)
    release.guard.write_release_state(replace(last, stage=Stage.MOVED))
    release.roll_back()
    release.by_hand.append(f"rolled back to {last.baseline}")
    return last.baseline


def send_everybody_to(release: Release, target: str) -> str:
    """All traffic to a revision by name, or to an image by digest, which is deployed anew.

    Returns the revision's name. Raises ReleaseError for one that is not there or not ready,
    GateClosed where the image does not start.
    """
    service = release.drift.remember(release.service)
    name = _deployed(release, target) if target.startswith("sha256:") else target
    _expect_ready(release, name)
    split = release.drift.left.resolved.shared({name: 100})
    with release.guard.change("send everybody to", name, split=str(split)):
        after = release.dependencies.platform.split_traffic(
            split, release.drift.left, release.timeout
        )
    release.drift.remember(after)
    release.dependencies.evidence.attach(
        "traffic", f"before: {service.actual}\nafter: {after.actual}"
    )
    release.by_hand.append(f"sent every user to {name}")
    if last := left_open(release):
        release.guard.write_release_state(replace(last, stage=Stage.LEFT))
    return name


def remove_taken_back(release: Release) -> str:
    """Delete the candidate that users were taken back from; its name.

    Raises ReleaseError where none was taken back, CallFailed where the platform still needs it.
    """
    last = release.release_state or release.guard.last
    if last is None or not last.candidate or last.stage is not Stage.RESTORED:
        raise ReleaseError(
            f"no candidate of {release.plan.service} was taken back: there is none to delete"
        )
    service = release.drift.remember(release.service)
    if service.latest_created == last.candidate:
        # Cloud Run keeps the latest revision, even without traffic [?].
        _deployed_again(release, _serving(release))
    with release.guard.change("delete revision", last.candidate):
        release.dependencies.platform.remove_revision(last.candidate, release.timeout)
    release.by_hand.append(f"deleted {last.candidate}")
    return last.candidate


def stop_every_instance(release: Release, *, unlock: bool) -> Service:
    """Scale the service to zero: users get errors from now on; the reading afterwards."""
    acquire_lock(release, unlock=unlock)
    service = release.drift.remember(release.service)
    with release.guard.change("scale to zero", release.plan.service):
        after = release.dependencies.platform.scale_to_zero(service, release.timeout)
    release.by_hand.append("scaled to zero")
    return release.drift.remember(after)


def _deployed(release: Release, digest: str) -> str:
    """A new revision of an image, with the settings of what serves now, by name."""
    image = f"{release.plan.build.repository}@{Digest(digest)}"
    return _deployed_again(release, replace(_serving(release), image=image))


def _deployed_again(release: Release, revision: Revision) -> str:
    """A new revision like another one, by name; users stay where they are."""
    service, at = release.drift.left, release.dependencies.clock.now()
    name = f"{release.plan.service}-{at:%Y%m%d-%H%M%S}"
    split = service.actual.pinned(service.latest_ready)
    timeout = Timeout(release.plan.ready_within, release.dependencies.progress.report)
    with release.guard.change("deploy", name, image=revision.image, split=str(split)):
        wanted = NewRevision(name, revision.image, revision.settings)
        after = release.dependencies.platform.deploy(wanted, split, service, timeout)
    release.drift.remember(after)
    return name


def _serving(release: Release) -> Revision:
    split = release.drift.left.resolved
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
