"""The service: who serves, and that the candidate is what was asked for."""

from greenrun.checks.image import check_budget, in_seconds
from greenrun.model.errors import GateClosed
from greenrun.release.release import Release

_UNAVAILABLE = 503


def served_by(release: Release, revision: str) -> None:
    """Every user reaches this one revision, by the split and by who answers.

    Without a revision, which is a first release that has not let users in: nobody does.
    """
    if not revision and release.is_first:
        nobody_let_in(release)
        return
    serving = release.service.resolved.serving
    if serving != {revision: 100}:
        raise GateClosed(f"traffic: got {serving}, needs 100 % {revision}")
    found = release.answering()
    if found != {revision}:
        raise GateClosed(f"answers: got {', '.join(sorted(found))}, needs {revision}")


def nobody_let_in(release: Release) -> None:
    """No user is served before a first release is promoted: by no service, or by a closed one."""
    platform, name = release.dependencies.platform, release.plan.service
    if platform.service() is None:
        release.tell_first(f"{name} does not exist yet: first release, nobody is served")
    elif platform.invokable_by_all():
        raise GateClosed(
            f"who may invoke {name}: got everybody, needs nobody until its first release is proven"
        )
    else:
        release.tell_first(f"{name} lets nobody in yet: first release")


def restored(release: Release, destination: str) -> None:
    """Users are served by where they were sent, or untouched where no baseline was found yet."""
    if release.is_first:
        deleted(release)
    elif destination:
        served_by(release, destination)
    elif release.deployed:
        raise GateClosed("a candidate was deployed, and no baseline is known to go back to")


def deleted(release: Release) -> None:
    """Nothing is left of a first release that was taken back."""
    found = release.dependencies.platform.revision(release.guard.known_release_state.candidate)
    if found:
        raise GateClosed(f"{release.plan.service}: got {found}, needs nothing of the first release")


def gone(release: Release, revision: str) -> None:
    """The platform knows the revision no more."""
    if found := release.dependencies.platform.revision(revision):
        raise GateClosed(f"{revision}: got {found}, needs no such revision")


def unavailable(release: Release) -> None:
    """Users are answered 503 at once, as the platform does for a service without instances."""
    url, probe = release.service.url, release.plan.canary.probes[0]
    status = release.prober.send(url, probe).status
    if status != _UNAVAILABLE:
        raise GateClosed(f"{probe} at {url}: got {status}, needs {_UNAVAILABLE}, as it is at zero")


def ready_time(release: Release) -> None:
    """The candidate was ready within its budget."""
    took, within = release.candidate.ready_after, release.plan.ready_timeout
    check_budget("time to ready", in_seconds(took), in_seconds(within))


def candidate_image(release: Release) -> None:
    """The candidate runs the bytes that were built."""
    found = release.candidate.live().image
    if found != release.image.reference:
        raise GateClosed(f"image: got {found}, needs {release.image.reference}")


def candidate_settings(release: Release) -> None:
    """The candidate has exactly the settings of the plan."""
    differences = release.candidate.differences()
    if differences:
        raise GateClosed("settings of the candidate: " + "; ".join(map(str, differences)))


def variables_kept(release: Release) -> None:
    """The candidate lacks none of the baseline's variables."""
    if release.is_first:
        release.tell_first("no baseline whose variables could be lost: first release")
        return
    lost = release.candidate.lost_variables(release.baseline)
    if lost:
        raise GateClosed(
            f"variables: the candidate has lost {', '.join(lost)} of the baseline",
            hint="add them to env.yaml or `deploy.update-secrets`, or say `deploy.remove-env-vars`",
        )


def reachable(release: Release) -> None:
    """Whoever may invoke the service is who the plan says, from the promotion on at a first one."""
    if release.is_first and not release.promoted:
        nobody_let_in(release)
        return
    found = release.dependencies.platform.invokable_by_all()
    # A check of invokers that is to end ends with the promotion: until then either is right.
    if found not in {release.plan.public, release.plan.for_everybody}:
        needs = "everybody" if release.plan.public else "only those who are granted it"
        raise GateClosed(
            f"who may invoke: got {'everybody' if found else 'not everybody'}, needs {needs}",
            hint="set `deploy.allow-unauthenticated`, or correct the policy of the service",
        )


def no_traffic(release: Release, revision: str) -> None:
    """The revision still stands, and users do not reach it."""
    if not revision and release.is_first:
        release.tell_first("no baseline to keep: first release, the way back is deletion")
        return
    if release.dependencies.platform.revision(revision) is None:
        raise GateClosed(f"{revision} is gone, needs to be kept as the way back")
    if share := release.service.resolved.share(revision):
        raise GateClosed(f"{revision}: got {share} % of the traffic, needs none")
