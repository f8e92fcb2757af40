"""Making the image of a release, on this machine; or fetching the one that was built elsewhere."""

from dataclasses import replace
from pathlib import Path

from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.image import Build, Image, Source, TagPolicy
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import Plan
from greenrun.model.revision import FLAGS
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.preflight.image import resolved
from greenrun.release.preflight.settings import in_build_arguments


def build(plan: Plan, dependencies: Dependencies, guard: ChangeGuard, source: Source) -> Build:
    """Build the directory's image and tag it as the plan says, or fetch the plan's image.

    Raises as Builder.build and Builder.pull do, and GateClosed for an image that starts nothing.
    """
    if plan.build.image:
        made = _fetched(plan, dependencies, guard)
    else:
        made = _built(plan, dependencies, guard, source)
    _expect_command(made.image, plan)
    dependencies.evidence.attach("build log", made.log)
    dependencies.evidence.attach("image inspection", made.image.describe())
    return made


def _built(plan: Plan, dependencies: Dependencies, guard: ChangeGuard, source: Source) -> Build:
    for leak in in_build_arguments(plan, dependencies.scanner):
        raise GateClosed(
            f"could not build {plan.build.repository}: got {leak}, needs no secret there",
            hint="hand it in by `build.secrets`, which no image keeps",
        )
    tag = _tag(plan, dependencies, guard, source)
    made = dependencies.builder.build(plan.build, tag=tag, watch=dependencies.progress.report)
    if plan.build.also_latest:
        dependencies.builder.tag(made.image.digest, made.image.repository, "latest")
    guard.note("build", made.image.reference, tag=tag)
    _leave_tag(source.directory / plan.build.tag_file, tag)
    return made


def _fetched(plan: Plan, dependencies: Dependencies, guard: ChangeGuard) -> Build:
    """By its digest: what an image tag means is asked once, and told."""
    manifest = resolved(plan, dependencies)
    made = dependencies.builder.pull(plan.build, manifest, dependencies.progress.report)
    guard.note("fetch", made.image.reference, image=plan.build.image)
    meant = "" if str(manifest) in plan.build.image else f", which {plan.build.image} means now"
    dependencies.progress.present(f"built elsewhere: {made.image.reference}{meant}")
    return made


def adopt(made: Build, plan: Plan, dependencies: Dependencies) -> Build:
    """The same image under the name that this plan has for it, as if it had been built there.

    Raises GateClosed where the plan wants another one, which was built elsewhere.
    """
    image, wanted = made.image, plan.build
    if wanted.image:
        return _same(made, plan)
    if image.repository != wanted.repository:
        dependencies.builder.tag(image.digest, wanted.repository, image.tag)
    return replace(made, image=replace(image, repository=wanted.repository, manifest=None))


def _same(made: Build, plan: Plan) -> Build:
    _, _, digest = plan.build.image.partition("@")
    image = made.image
    if image.repository != plan.build.repository or digest not in {"", str(image.manifest)}:
        raise GateClosed(
            f"build.image of {plan.environment}: got {plan.build.image}, needs {image.reference}, "
            "which was rehearsed",
            hint="let every environment of release.yaml name the same image",
        )
    return made


def _expect_command(image: Image, plan: Plan) -> None:
    by_settings = (getattr(plan.settings, flag.field) for flag in FLAGS if flag.key == "command")
    if not image.command and not any(by_settings):
        raise GateClosed(
            f"{image}: got neither CMD nor ENTRYPOINT, needs the command that starts the server",
            hint="add a CMD to the Dockerfile, see that its base image has one, or say what the "
            "live service has by `deploy.command`",
        )


def _leave_tag(path: Path, tag: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{tag}\n", "utf-8")


def _tag(plan: Plan, dependencies: Dependencies, guard: ChangeGuard, source: Source) -> str:
    if plan.build.tag_policy is TagPolicy.COMMIT and not source.commit:
        raise ReleaseError(
            "build.tag: got commit, and no git checkout with one, needs timestamp or build-id here",
            hint="release from a git checkout, or set `build.tag`",
        )
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
