"""Images, as they are built on an engine, found there, and tagged."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import ImageNotFound

from greenrun.adapters.docker.buildkit import BuildKit, buildkit_of
from greenrun.adapters.docker.classic import Classic
from greenrun.adapters.docker.context import BuildContext, BuildOrder, readable
from greenrun.adapters.docker.engine import connect, engine_host, refused
from greenrun.adapters.docker.inspection import image_of
from greenrun.adapters.docker.pull import pull
from greenrun.adapters.docker.transcript import Transcript
from greenrun.adapters.registry.login import Logins, MachineLogins
from greenrun.model.errors import CallFailed, GateClosed
from greenrun.model.image import Build, Digest, Image
from greenrun.model.interfaces import Timeout, Watch
from greenrun.model.plan import BuildPlan
from greenrun.model.text import UnreadableFile

_REPORTS = "reports"


class DockerBuilder:
    """Builds on the engine that DOCKER_HOST names, or on this machine's.

    By BuildKit where a command here speaks to it, else by the engine's classic builder.

    Args:
        root: the folder that the plan's paths are relative to.
        commit: the full SHA of what is built, written on the image; empty leaves it out.
        version: the version of what is built, likewise.
        logins: who we are where images are pulled from; what this machine has, unless told.

    The labels are those of https://github.com/opencontainers/image-spec/blob/main/annotations.md.
    """

    def __init__(
        self, root: Path, *, commit: str = "", version: str = "", logins: Logins | None = None
    ) -> None:
        self._root = root
        self._logins = logins or MachineLogins()
        named = {"revision": commit, "version": version}
        self._labels = {
            f"org.opencontainers.image.{name}": text for name, text in named.items() if text
        }

    def engine(self) -> str:
        """The engine's own number. Raises CallFailed when none answers."""
        with closing(connect()) as client, refused("ask the Docker engine for its number"):
            return str(client.version()["Version"])

    def lacks(self, plan: BuildPlan) -> Sequence[str]:
        """What a build needs and is not here, a line each."""
        return tuple(_lacking(self._resolved(plan), self._context(plan)))

    def sent(self, plan: BuildPlan) -> Sequence[Path]:
        """Every file that a build is sent: none of `.git`, of `reports/`, and of its secrets.

        Raises CallFailed where they cannot be read.
        """
        context = self._context(plan)
        if plan.image or not context.folder.is_dir():
            return ()
        with readable(context):
            return tuple(context.files())

    def build(self, plan: BuildPlan, *, tag: str, watch: Watch) -> Build:
        """Build and tag; files that .dockerignore names stay out.

        Raises GateClosed with the failed instruction and the end of the log, DeadlineExceeded over
        `plan.within` (the engine has then stopped building), CallFailed without an engine, or
        without what is built.
        """
        reference, context = f"{plan.repository}:{tag}", self._context(plan)
        if lacking := self.lacks(plan):
            raise CallFailed(f"could not build {reference}: {'; '.join(lacking)}")
        began = time.monotonic()
        with closing(connect()) as client:
            builder = _builder(client)
            transcript = Transcript(reference, builder.name, watch)
            transcript.note(f"building by {builder.name}")
            order = BuildOrder(self._resolved(plan), context, reference, self._labels)
            try:
                builder.build(order, transcript)
            except GateClosed:
                with refused(f"build {reference}: lost the engine at {transcript.instruction}"):
                    client.ping()
                raise
        image = self.image(reference)
        if image is None:
            raise CallFailed(f"could not find {reference} after it was built", hint="build again")
        took = timedelta(seconds=time.monotonic() - began)
        return Build(image, took, transcript.text)

    def pull(self, plan: BuildPlan, manifest: Digest, watch: Watch) -> Build:
        """Fetch what was built elsewhere, unless it is here; it has no image tag for us."""
        reference, began = f"{plan.repository}@{manifest}", time.monotonic()
        log = f"{reference} was built elsewhere, and is here already"
        if (image := self.image(reference)) is None:
            timeout = Timeout(plan.within, watch)
            pull(plan.repository, manifest, plan.platform, timeout, self._logins)
            log = f"{reference} was built elsewhere, and was pulled"
            image = self.image(reference)
        if image is None:
            raise CallFailed(f"could not find {reference} after its pull", hint="pull it again")
        image = replace(image, repository=plan.repository, tag="", manifest=manifest)
        return Build(image, timedelta(seconds=time.monotonic() - began), log)

    def image(self, reference: str) -> Image | None:
        """Inspect an image of this machine, by name, by image id, or by name and digest."""
        with closing(connect()) as client, refused(f"inspect image {reference}"):
            # A repository knows digests of manifests only; an image never pushed goes by its id.
            names = filter(None, (reference, reference.partition("@")[2]))
            found = next(filter(None, (_inspected(client, name) for name in names)), None)
            return image_of(reference, *found) if found else None

    def tag(self, digest: Digest, repository: str, tag: str) -> None:
        """Give an image of this machine another image tag."""
        with closing(connect()) as client, refused(f"tag {digest} as {repository}:{tag}"):
            found = _inspected(client, f"{repository}@{digest}") or _inspected(client, str(digest))
            if found is None:
                raise CallFailed(
                    f"could not tag {repository}:{tag}: got no image {digest} on this machine",
                    hint="build it, or pull it",
                )
            facts, _ = found
            client.tag(facts["Id"], repository, tag)

    def _context(self, plan: BuildPlan) -> BuildContext:
        secrets = (Path(it.file) for it in self._resolved(plan).secrets.values() if it.file)
        aside = (self._root / _REPORTS, *secrets)
        return BuildContext(self._root / plan.context, self._root / plan.dockerfile, aside)

    def _resolved(self, plan: BuildPlan) -> BuildPlan:
        """The plan with whole paths of its secrets."""
        return replace(
            plan,
            secrets={
                name: replace(it, file=str(it.path(self._root))) if it.file else it
                for name, it in plan.secrets.items()
            },
        )


def _lacking(plan: BuildPlan, context: BuildContext) -> Iterator[str]:
    if not context.folder.is_dir():
        yield f"context: got no folder {context.folder}, needs one"
    if not context.dockerfile.exists():
        yield f"Dockerfile: got no file {context.dockerfile}, needs what the image is built by"
    else:
        yield from _unreadable("Dockerfile", lambda: context.instructions)
    yield from _unreadable(".dockerignore", lambda: context.patterns)
    for name, secret in plan.secrets.items():
        if secret.variable and secret.variable not in os.environ:
            yield f"secret {name}: got no variable {secret.variable}, needs it set here"
        if secret.file and not Path(secret.file).is_file():
            yield f"secret {name}: got no file {secret.file}, needs it here"


def _unreadable(name: str, read: Callable[[], object]) -> Iterator[str]:
    try:
        read()
    except UnreadableFile as error:
        yield f"{name}: {error}"


def _inspected(
    client: APIClient, name: str
) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    """What the engine says of an image and of its layers."""
    try:
        facts = client.inspect_image(name)  # type: ignore[no-untyped-call] # bare in the stubs
        return facts, client.history(facts["Id"])  # type: ignore[no-untyped-call] # likewise
    except ImageNotFound:
        return None


def _builder(client: APIClient) -> BuildKit | Classic:
    with refused("ask the Docker engine which builder it has"):
        answer = client.get(f"{client.base_url}/_ping", timeout=client.timeout)
    # Podman, which speaks the same language, says that it has none.
    has_buildkit = answer.headers.get("Builder-Version") != ""
    return (buildkit_of(engine_host()) if has_buildkit else None) or Classic(client)
