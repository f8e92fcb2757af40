"""The working tree: clean, in step with its remote, with every expected commit."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from greenrun.model.image import Checkout, Source
from greenrun.model.plan import Plan
from greenrun.release.preflight.context import Context, Problem

_REPORTS = "reports"

_NAMED_AT_MOST = 10

_NO_CHECKOUT = Problem(
    "tree: got no git checkout with a commit, needs one",
    "release from a git checkout, or leave what asks of the tree out of the preflight's table",
)


def in_step(context: Context) -> Iterator[Problem]:
    """The tree is what its commit says, and the commit is what the remote's branch says."""
    checkout = context.dependencies.source_control.checkout()
    if checkout is None:
        yield _NO_CHECKOUT
        return
    _describe(context, checkout)
    changed = unrecorded(checkout, context.plan, context.source)
    if changed:
        more = f" and {len(changed) - _NAMED_AT_MOST} more" if len(changed) > _NAMED_AT_MOST else ""
        named = ", ".join(changed[:_NAMED_AT_MOST])
        yield Problem(
            f"tree: got changes in {named}{more}, needs a clean one", "commit them, or `git stash`"
        )
    if context.plan.preflight.branch:
        yield from _branch(context, checkout)


def holds_commits(context: Context) -> Iterator[Problem]:
    """Every expected commit is in."""
    expected, source_control = context.plan.preflight.commits, context.dependencies.source_control
    context.measure("expected commits", ", ".join(expected) or "none")
    if expected and source_control.checkout() is None:
        yield _NO_CHECKOUT
        return
    for commit in expected:
        match source_control.contains(commit):
            case False:
                yield Problem(
                    f"commit {commit}: got a tree without it, needs it in",
                    "merge it, or correct `preflight.commits` in release.yaml",
                )
            case None:
                yield Problem(
                    f"commit {commit}: got a shallow clone, needs the history that tells of it",
                    "git fetch --unshallow, or have the pipeline clone the whole history",
                )


def _describe(context: Context, checkout: Checkout) -> None:
    context.measure("commit", f"{checkout.commit} on {checkout.branch or 'no branch'}")
    context.measure("last commits", "; ".join(checkout.subjects))


def _branch(context: Context, checkout: Checkout) -> Iterator[Problem]:
    wanted, remote = context.plan.preflight.branch, context.plan.preflight.remote
    if checkout.branch not in {wanted, ""}:
        yield Problem(f"branch: got {checkout.branch}, needs {wanted}", f"git switch {wanted}")
    distance = context.dependencies.source_control.distance(remote, wanted)
    if distance is None:
        yield Problem(
            f"branch {wanted} of {remote}: got none, needs it there", f"git push {remote} {wanted}"
        )
        return
    context.measure(f"{remote}/{wanted}", f"{distance.ahead} ahead, {distance.behind} behind")
    if distance.ahead or distance.behind:
        yield Problem(
            f"commit: got {distance.ahead} ahead of {remote}/{wanted} and {distance.behind} "
            "behind, needs the same commit",
            f"git pull {remote} {wanted}, then git push {remote} {wanted}",
        )


def unrecorded(checkout: Checkout, plan: Plan, source: Source) -> tuple[str, ...]:
    """List changed paths, beside the records and what else a release writes."""
    here = PurePosixPath(_within_repository(source.directory.resolve()))
    watched = (plan.monitoring.folder,) if plan.monitoring else ()
    ours = (plan.record.folder, *plan.record.changelogs, *watched, plan.build.tag_file, _REPORTS)
    return checkout.changed_beside(here / place for place in ours)


def _within_repository(directory: Path) -> str:
    """The path of a directory from the root of its repository, as changed paths are told."""
    roots = (folder for folder in (directory, *directory.parents) if (folder / ".git").exists())
    return directory.relative_to(next(roots, directory)).as_posix()
