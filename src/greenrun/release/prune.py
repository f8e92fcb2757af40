"""Old images are taken out of the registry, and never one that is in use."""

import re
from collections.abc import Iterable, Mapping

from greenrun.model.image import Digest, TagPolicy
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import Plan
from greenrun.release.coordination.guard import ChangeGuard


def prune_images(plan: Plan, dependencies: Dependencies, guard: ChangeGuard) -> tuple[str, ...]:
    """Remove old image tags with their manifests; `REPOSITORY:TAG` of each, oldest first.

    Old are those that the plan's tag policy made, beyond the `keep_images` newest that no revision
    uses. Newest is told by the tag itself: the time of a timestamp, the number of a build id. A
    commit tells no time, so that nothing is pruned by it; what a person named (`stable`), and
    `latest`, is never old. A manifest stays, with all its image tags, where one of them stays.

    Nothing is pruned, and why is reported, where a revision was made of an image tag that moves:
    nobody can tell which manifest that meant. Raises CallFailed when the registry refuses.
    """
    if plan.keep_images is None:
        return ()
    repository = plan.build.repository
    references = [revision.image for revision in dependencies.platform.revisions()]
    doubts = [each for each in references if _is_doubtful(each, plan)]
    if doubts:
        named = ", ".join(sorted(set(doubts)))
        dependencies.progress.report(
            f"nothing is pruned: revisions use {named}, which may mean any image"
        )
        return ()
    held = dependencies.registry.tags(repository)
    removed = []
    for manifest in _surplus(held, _used(references, held, repository), plan):
        if not _is_known_by_id(manifest, references, repository, dependencies):
            tags = [tag for tag, behind in held.items() if behind == manifest]
            removed += [_name(repository, tag) for tag in tags]
            _remove(repository, manifest, tags, dependencies, guard)
    return tuple(removed)


def age(tag: str, plan: Plan) -> int | None:
    """A number that grows with time, of an image tag by the plan's policy; None for any other."""
    match plan.build.tag_policy:
        case TagPolicy.TIMESTAMP:
            found = re.fullmatch(rf"{re.escape(plan.service)}-(\d{{8}})-(\d{{6}})", tag)
            return int(found[1] + found[2]) if found else None
        case TagPolicy.BUILD_ID:
            return int(tag) if re.fullmatch(r"\d{1,18}", tag) else None
        case TagPolicy.COMMIT:
            return None


def _surplus(held: Mapping[str, Digest], used: set[Digest], plan: Plan) -> list[Digest]:
    """Manifests that every image tag of is old, the oldest first."""
    ages = {tag: when for tag in held if (when := age(tag, plan)) is not None}
    unused = sorted((tag for tag in ages if held[tag] not in used), key=ages.__getitem__)
    old = unused[: max(len(unused) - (plan.keep_images or 0), 0)]
    staying = {manifest for tag, manifest in held.items() if tag not in old}
    by_age = dict.fromkeys(held[tag] for tag in old)
    return [manifest for manifest in by_age if manifest not in staying]


def _used(references: Iterable[str], held: Mapping[str, Digest], repository: str) -> set[Digest]:
    """The manifests that references mean, as far as they are held under an image tag."""
    named = {_name(repository, tag): manifest for tag, manifest in held.items()}
    meant = {part for reference in references for part in reference.split("@")}
    return {manifest for name, manifest in named.items() if {name, str(manifest)} & meant}


def _is_known_by_id(
    manifest: Digest, references: Iterable[str], repository: str, dependencies: Dependencies
) -> bool:
    """True where a reference has the image's id for a digest, as engines allow."""
    image_id = dependencies.registry.image_id(repository, manifest)
    return any(reference.endswith(f"@{image_id}") for reference in references)


def _is_doubtful(reference: str, plan: Plan) -> bool:
    """True for an image tag of the plan's repository, without a digest, that may have moved.

    A repository without any image tag means `latest`.
    """
    if not reference.startswith(plan.build.repository) or "@" in reference:
        return False
    rest = reference.removeprefix(plan.build.repository)
    return not rest or (rest.startswith(":") and age(rest[1:], plan) is None)


def _remove(
    repository: str,
    manifest: Digest,
    tags: list[str],
    dependencies: Dependencies,
    guard: ChangeGuard,
) -> None:
    dependencies.progress.report(f"pruning {repository}: {', '.join(tags)}")
    with guard.change("prune", f"{repository}@{manifest}", tags=", ".join(tags)):
        dependencies.registry.remove(repository, manifest)


def _name(repository: str, tag: str) -> str:
    return f"{repository}:{tag}"
