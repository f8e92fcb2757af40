"""Making the image of a release, on this machine."""

from dataclasses import replace
from pathlib import Path

from greenrun.model.image import Build, Source
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import Plan
from greenrun.release.coordination.guard import ChangeGuard


def build(plan: Plan, dependencies: Dependencies, guard: ChangeGuard, source: Source) -> Build:
    """Build the directory's image and tag it as the plan says. Raises as Builder.build does."""
    tag = _tag(plan, dependencies, guard, source)
    made = dependencies.builder.build(plan.build, tag=tag, watch=dependencies.progress.report)
    if plan.build.also_latest:
        dependencies.builder.tag(made.image.digest, made.image.repository, "latest")
    guard.note("build", made.image.reference, tag=tag)
    _leave_tag(source.directory / plan.build.tag_file, tag)
    dependencies.evidence.attach("build log", made.log)
    dependencies.evidence.attach("image inspection", made.image.describe())
    return made


def adopt(made: Build, repository: str, dependencies: Dependencies) -> Build:
    """The same image under another name, as if it had been built there."""
    if made.image.repository != repository:
        dependencies.builder.tag(made.image.digest, repository, made.image.tag)
    return replace(made, image=replace(made.image, repository=repository, manifest=None))


def _leave_tag(path: Path, tag: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{tag}\n", "utf-8")


def _tag(plan: Plan, dependencies: Dependencies, guard: ChangeGuard, source: Source) -> str:
    return plan.build.tag_policy.tag(
        service=plan.service,
        at=dependencies.clock.now(),
        commit=source.commit,
        build_id=_last_build_id(guard),
    )


def _last_build_id(guard: ChangeGuard) -> int:
    entries = guard.journal.entries()
    tags = [entry.facts["tag"] for entry in entries if entry.action == "build"]
    return max((int(tag) for tag in tags if tag.isdecimal()), default=0)
