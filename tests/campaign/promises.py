"""What a release has promised, whatever happened to it, held against the world afterwards."""

from collections.abc import Iterator

from greenrun.model.errors import Hinted, ReleaseError
from greenrun.model.release_state import ReleaseState, Stage
from greenrun.model.service import Service
from tests.campaign.course import Ending, Outcome
from tests.campaign.shop import BEFORE, OLDER, SERVICE, TAG, Shop


def broken(shop: Shop, before: Service, outcome: Outcome) -> list[str]:
    """Every promise that was not kept, a line each; asked once nothing hinders us any more."""
    found = [*users(shop), *_told(outcome)]
    match outcome.ending:
        case Ending.RELEASED:
            found += released(shop)
        case Ending.NOT_RELEASED:
            found += _as_before(shop, before)
    return found


def users(shop: Shop) -> Iterator[str]:
    """They reach healthy revisions, by a split that is known."""
    service = shop.reading
    known = {revision.name for revision in shop.platform.revisions()}
    if not known >= service.resolved.serving.keys():
        yield f"unknown revisions in {service.actual}"
    if sum(service.resolved.serving.values()) != 100:
        yield f"a split that does not add up: {service.actual}"
    if unwell := {one for one in shop.answering() if not one.startswith(SERVICE)}:
        yield f"users are answered {unwell}"


def released(shop: Shop) -> Iterator[str]:
    service, release_state = shop.reading, standing_of(shop)
    if release_state is None or release_state.stage is not Stage.PROMOTED:
        yield f"released, and the claim tells {release_state}"
    elif service.resolved.serving != {release_state.candidate: 100}:
        yield f"released, and users are served by {service.actual}"
    if service.wanted.tags.get(TAG) != OLDER:
        yield f"somebody's revision tag is lost: {service.wanted}"


def _as_before(shop: Shop, before: Service) -> Iterator[str]:
    service = shop.reading
    if not service.wanted.targets == service.actual.targets == before.actual.targets:
        yield f"not released, and the split is {service.actual} (wanted {service.wanted})"
    if (found := shop.answering()) != {BEFORE}:
        yield f"not released, and users are answered by {found}"


def _told(outcome: Outcome) -> Iterator[str]:
    """What stopped it tells what could not be done, to what, and what to do."""
    if not outcome.errors:
        return
    cause = outcome.errors[0]
    if isinstance(cause, ReleaseError) and not _names_a_resource(cause):
        yield f"names no resource: {cause}"
    if not _hinted(cause):
        yield f"gives no hint: {cause}"


def _names_a_resource(error: Hinted) -> bool:
    return any(word in error.message for word in (SERVICE, "projects/", "job ", "revision "))


def _hinted(error: Hinted) -> bool:
    """By itself, or after each of its findings."""
    return bool(error.hint) or "hint:" in error.message


def standing_of(shop: Shop) -> ReleaseState | None:
    """Where the last release stood, as its claim tells everybody."""
    last = next(iter(shop.leases.all()), None)
    return ReleaseState.from_json(last.release_state) if last and last.release_state else None
