"""Making the image of a release, on this machine."""

from dataclasses import replace

from greenrun.model.image import Build
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import Plan
from greenrun.model.source import Source
from greenrun.release.coordination.guard import ChangeGuard

TAG_FILE = "build_tag.txt"
"""Holds the image tag for whoever rolls back by hand (PROCEDURE P2.5)."""


def build(plan: Plan, roles: Dependencies, account: ChangeGuard, source: Source) -> Build:
    """Build the directory's image and tag it as the plan says. Raises as Builder.build does."""
    tag = _tag(plan, roles, account, source)
    made = roles.builder.build(plan.build, tag=tag, watch=roles.progress.report)
    if plan.build.also_latest:
        roles.builder.tag(made.image.digest, made.image.repository, "latest")
    account.note("build", made.image.reference, tag=tag)
    (source.directory / TAG_FILE).write_text(f"{tag}\n", "utf-8")
    roles.evidence.attach("build log", made.log)
    roles.evidence.attach("image inspection", made.image.describe())
    return made


def adopt(made: Build, repository: str, roles: Dependencies) -> Build:
    """The same image under another name, as if it had been built there."""
    if made.image.repository != repository:
        roles.builder.tag(made.image.digest, repository, made.image.tag)
    return replace(made, image=replace(made.image, repository=repository, manifest=None))


def _tag(plan: Plan, roles: Dependencies, account: ChangeGuard, source: Source) -> str:
    return plan.build.tag_policy.tag(
        service=plan.service,
        at=roles.clock.now(),
        commit=source.commit,
        build_id=_last_build_id(account),
    )


def _last_build_id(account: ChangeGuard) -> int:
    entries = account.journal.entries()
    tags = [entry.facts["tag"] for entry in entries if entry.action == "build"]
    return max((int(tag) for tag in tags if tag.isdecimal()), default=0)
