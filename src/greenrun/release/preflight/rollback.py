"""A way back exists: the service is at rest, and its baseline could start again."""

from collections.abc import Iterator
from contextlib import suppress

from greenrun.model.errors import ReleaseError
from greenrun.model.image import Digest
from greenrun.model.interfaces import Dependencies, Registry
from greenrun.model.lease import Lease
from greenrun.model.plan import Plan
from greenrun.model.release_state import ReleaseState
from greenrun.model.service import Service, baseline_of
from greenrun.release.preflight.context import Context, Problem
from greenrun.release.preflight.secrets import missing

_REST = "bring the service to rest: all traffic to one named revision"


def existing(service: Service | None, plan: Plan) -> Service:
    """The service; raises ReleaseError where it does not exist."""
    if service is None:
        raise ReleaseError(
            f"{plan.service} does not exist in {plan.place.parent}: there is no way back",
            hint="create it once with `gcloud run deploy`, then release with greenrun",
        )
    return service


def baseline(service: Service) -> str:
    """The revision that serves everybody; raises ReleaseError with every reason against it."""
    try:
        return baseline_of(service)
    except ValueError as error:
        raise ReleaseError(str(error), hint=_REST) from error


def at_rest(context: Context) -> Iterator[Problem]:
    """One revision serves everybody, or an earlier release of ours is the reason why not."""
    service = existing(context.dependencies.platform.service(), context.plan)
    context.measure("traffic", f"{service.actual} (generation {service.generation})")
    try:
        _describe(context, baseline_of(service))
    except ValueError as error:
        lease, left = _latest_lease(context.dependencies), _unfinished(context)
        if left or (lease and lease.held):
            context.measure("unfinished release", f"{lease or left}, which is rolled back first")
            return
        yield from (Problem(line, _REST) for line in str(error).splitlines())


def startable(context: Context) -> Iterator[Problem]:
    """The registry holds the baseline's image, and every secret version that it reads is there."""
    name = rollback_target(context)
    revision = context.dependencies.platform.revision(name)
    if revision is None:
        yield Problem(f"revision {name}: got none, needs the baseline to go back to")
        return
    context.measure("image of the baseline", revision.image)
    if not is_held(revision.image, context.dependencies.registry):
        yield Problem(
            f"image of {name}: got nothing in the registry under {revision.image}, needs the image "
            "that new instances of the baseline start from",
            "push that image again, or first release one that is kept",
        )
    for reference in missing(revision.settings.secrets, context.dependencies.secret_store):
        yield Problem(
            f"secret of {name}: got no {reference}, needs an enabled version",
            "enable that version: new instances of the baseline read it",
        )


def _describe(context: Context, name: str) -> None:
    revision = context.dependencies.platform.revision(name)
    image = revision.image if revision else "an unknown image"
    context.measure("baseline", f"{name} at 100 %, {image}")


def rollback_target(context: Context) -> str:
    """The revision that users would come back to; raises ReleaseError without one."""
    if left := _unfinished(context):
        return left.baseline
    return baseline(existing(context.dependencies.platform.service(), context.plan))


def _latest_lease(dependencies: Dependencies) -> Lease | None:
    return next(iter(dependencies.leases.all()), None)


def _unfinished(context: Context) -> ReleaseState | None:
    """The state of a release that never ended, told by its lease or by the service."""
    lease = _latest_lease(context.dependencies)
    if lease and lease.release_state:
        with suppress(ValueError):
            found = ReleaseState.from_json(lease.release_state)
            return None if found.stage.ended else found
    service, plan = context.dependencies.platform.service(), context.plan
    tags = {plan.revision_tag, plan.baseline_tag}
    return ReleaseState.left_in(service, plan.revision_tag, tags) if service else None


def is_held(reference: str, registry: Registry) -> bool:
    """True where the registry has an image by digest, by image tag, or as `latest`."""
    repository, _, digest = reference.partition("@")
    if digest:
        return registry.image_id(repository, Digest(digest)) is not None
    name, colon, tag = repository.rpartition(":")
    tagged = bool(colon) and "/" not in tag
    return registry.digest(name if tagged else repository, tag if tagged else "latest") is not None
