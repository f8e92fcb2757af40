"""Images, by the Docker engine."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import APIError, ImageNotFound

from greenrun.adapters.docker.engine import FAILURES, Cutoff, connect, refused
from greenrun.adapters.docker.facts import image_of
from greenrun.adapters.docker.log import Transcript
from greenrun.model.errors import CallFailed, DeadlineExceeded, GateClosed
from greenrun.model.image import Build, Digest, Image
from greenrun.model.interfaces import Watch
from greenrun.model.plan import BuildPlan


class DockerBuilder:
    """Builds on the engine that DOCKER_HOST names, or on this machine's.

    Args:
        root: the folder that the plan's paths are relative to.
        commit: the full SHA of what is built, written on the image; empty leaves it out.
        version: the version of what is built, likewise.

    The labels are those of https://github.com/opencontainers/image-spec/blob/main/annotations.md.
    """

    def __init__(self, root: Path, *, commit: str = "", version: str = "") -> None:
        self._root = root
        named = {"revision": commit, "version": version}
        self._labels = {
            f"org.opencontainers.image.{name}": text for name, text in named.items() if text
        }

    def engine(self) -> str:
        """The engine's own number. Raises CallFailed when none answers."""
        with closing(connect()) as client, refused("ask the Docker engine for its number"):
            return str(client.version()["Version"])

    def build(self, plan: BuildPlan, *, tag: str, watch: Watch) -> Build:
        """Build and tag; files that .dockerignore names stay out.

        Raises GateClosed with the failed instruction and the end of the log, DeadlineExceeded over
        `plan.within` (the engine has then stopped building), CallFailed without an engine.
        """
        reference = f"{plan.repository}:{tag}"
        self._expect_files(plan)
        began = time.monotonic()
        transcript = Transcript(reference, watch)
        with closing(connect()) as client, Cutoff(client, plan.within) as cutoff:
            try:
                transcript.read(self._events(client, plan, reference))
            except APIError as error:
                raise transcript.failure(str(error.explanation)) from error
            except FAILURES as error:
                if cutoff.struck:
                    raise _over_budget(reference, plan, transcript) from error
                raise CallFailed(
                    f"could not build {reference}: lost the engine at {transcript.instruction}: "
                    f"got {error}",
                    hint="`docker info` shows whether the engine answers",
                ) from error
        image = self.image(reference)
        if image is None:
            raise CallFailed(f"could not find {reference} after it was built", hint="build again")
        took = timedelta(seconds=time.monotonic() - began)
        return Build(image, took, transcript.text)

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

    def _events(
        self, client: APIClient, plan: BuildPlan, reference: str
    ) -> Iterator[Mapping[str, Any]]:
        return client.build(
            path=str(self._root / plan.context),
            dockerfile=str(self._root / plan.dockerfile),
            tag=reference,
            platform=plan.platform,
            labels=self._labels,
            rm=True,
            forcerm=True,
            decode=True,
        )

    def _expect_files(self, plan: BuildPlan) -> None:
        context, dockerfile = self._root / plan.context, self._root / plan.dockerfile
        if not context.is_dir():
            raise GateClosed(f"could not build {plan.repository}: got no folder {context}")
        if not dockerfile.is_file():
            raise GateClosed(f"could not build {plan.repository}: got no file {dockerfile}")


def _inspected(
    client: APIClient, name: str
) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    """What the engine says of an image and of its layers."""
    try:
        facts = client.inspect_image(name)  # type: ignore[no-untyped-call] # bare in the stubs
        return facts, client.history(facts["Id"])  # type: ignore[no-untyped-call] # likewise
    except ImageNotFound:
        return None


def _over_budget(reference: str, plan: BuildPlan, transcript: Transcript) -> DeadlineExceeded:
    return DeadlineExceeded(
        f"the build of {reference}",
        after=plan.within,
        last_seen=transcript.instruction,
        hint="raise `build.timeout` in release.yaml, or make that instruction cheaper",
    )
