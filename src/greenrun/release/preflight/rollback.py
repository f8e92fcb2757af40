"""The service: ours alone to release, in reach, at rest, and with a baseline to go back to."""

from collections.abc import Iterator
from contextlib import suppress

from greenrun.model.errors import CallFailed, DeadlineExceeded, ReleaseError
from greenrun.model.image import Digest
from greenrun.model.interfaces import Dependencies, Registry
from greenrun.model.lease import Lease
from greenrun.model.plan import Plan
from greenrun.model.release_state import FIRST_TAG, ReleaseState
from greenrun.model.revision import NOTHING_SAID
from greenrun.model.service import Service, baseline_of
from greenrun.release.preflight.context import Context, Problem
from greenrun.release.preflight.settings import missing, problems

NOT_NEEDED = "not needed: first release"

_REST = "bring the service to rest: all traffic to one named revision"


def existing(service: Service | None, plan: Plan) -> Service:
    """The service; raises ReleaseError where it does not exist."""
    if service is None:
        raise ReleaseError(
            f"{plan.service} does not exist in {plan.place.parent} (any more)",
            hint="see who deleted it: a release creates the service only as its first one",
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
    if is_first(context):
        _tell_first(context)
        return
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


def alone(context: Context) -> Iterator[Problem]:
    """Nobody is known to hold the lock, unless a person wants to end that."""
    context.measure("lock", context.lock.latest or "nobody ever held it")
    if not context.unlock:
        context.lock.check_free()
    yield from ()


def reachable(context: Context) -> Iterator[Problem]:
    """Requests from here arrive at the service, and who may invoke it is who shall."""
    if is_first(context):
        context.measure("reaching the service", NOT_NEEDED)
        return
    plan, platform = context.plan, context.dependencies.platform
    service = existing(platform.service(), plan)
    context.measure("ingress", service.ingress or "not told")
    if not service.url:
        yield Problem(
            f"URL of {plan.service}: got none, needs its default URL, where revisions are asked",
            f"gcloud run services update {plan.service} --default-url",
        )
    elif service.ingress not in {"", "all"}:
        yield from _turned_away(context, service)
    if not plan.for_everybody and platform.invokable_by_all():
        yield Problem(
            f"who may invoke {plan.service}: got everybody, needs only those who are granted it",
            "set `deploy.allow-unauthenticated` (or `deploy.invoker-iam-check: false`), or correct "
            "the policy of the service",
        )


def _turned_away(context: Context, service: Service) -> Iterator[Problem]:
    """From within the network requests arrive; from elsewhere they are answered, and not logged."""
    try:
        context.prober.answering(service.url, context.plan.canary.probes[0])
    except DeadlineExceeded as error:
        yield Problem(
            f"ingress of {service.name}: got {service.ingress}, which turns away requests from "
            f"here ({error.last_seen}), needs all, or a release from within the network",
            "release from a runner in the network, or "
            f"gcloud run services update {service.name} --ingress=all",
        )


def is_first(context: Context) -> bool:
    """True without a service, or with one that an unfinished first release has left closed."""
    service = context.dependencies.platform.service()
    return service is None or is_left_closed(service, context.dependencies)


def is_left_closed(service: Service, dependencies: Dependencies) -> bool:
    """True of a service that a first release created, and let nobody in to: it is to be deleted."""
    is_marked = FIRST_TAG in service.wanted.tags
    return is_marked and not dependencies.platform.invokable_by_all()


def _tell_first(context: Context) -> None:
    name = context.plan.service
    told = f"{name} does not exist yet: first release"
    if context.dependencies.platform.service():
        told = f"{name} was left by an unfinished first release, which is dealt with first"
    context.measure("baseline", told)
    context.dependencies.progress.present(told)


def startable(context: Context) -> Iterator[Problem]:
    """The registry holds the baseline's image, and every secret version that it reads is there."""
    if is_first(context):
        context.measure("start of the baseline", NOT_NEEDED)
        return
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
    for reference in missing(revision.settings.every_secret, context.dependencies.secret_store):
        yield Problem(
            f"secret of {name}: got no {reference}, needs an enabled version",
            "enable that version: new instances of the baseline read it",
        )


def _describe(context: Context, name: str) -> None:
    revision = context.dependencies.platform.revision(name)
    image = revision.image if revision else "an unknown image"
    context.measure("baseline", f"{name} at 100 %, {image}")


def kept(context: Context) -> Iterator[Problem]:
    """The candidate loses nothing of the baseline but on purpose, and its settings go together.

    Without a baseline that can be told, another check says why.
    """
    platform = context.dependencies.platform
    if is_first(context):
        yield from problems(context.plan, None, NOTHING_SAID)
        return
    try:
        name = rollback_target(context)
    except CallFailed:
        raise
    except ReleaseError:
        return
    yield from problems(context.plan, platform.revision(name), platform.service_settings())


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
    tags = {plan.revision_tag, plan.baseline_tag, FIRST_TAG}
    return ReleaseState.left_in(service, plan.revision_tag, tags) if service else None


def is_held(reference: str, registry: Registry) -> bool:
    """True where the registry has an image by digest, by image tag, or as `latest`."""
    repository, _, digest = reference.partition("@")
    if digest:
        return registry.image_id(repository, Digest(digest)) is not None
    name, colon, tag = repository.rpartition(":")
    tagged = bool(colon) and "/" not in tag
    return registry.digest(name if tagged else repository, tag if tagged else "latest") is not None
