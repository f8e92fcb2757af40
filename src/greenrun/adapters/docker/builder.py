"""Images, as the Docker engine builds and describes them."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import APIError, ImageNotFound
from docker.utils import exclude_paths, parse_repository_tag

from greenrun.adapters.docker.engine import FAILURES, Cutoff, connect, refused
from greenrun.model.errors import CallFailed, DeadlineExceeded, GateClosed
from greenrun.model.image import Build, Digest, Image, Layer
from greenrun.model.interfaces import Watch
from greenrun.model.plan import BuildPlan
from greenrun.model.text import Tail

_IGNORING = ".dockerignore"
_CONTENT = re.compile(r"\b(file|dir|multi):[0-9a-f]{64}")
_END = 30
"""Lines of a log that tell why a build failed."""

_PULLS_SHOWN_EVERY_SECONDS = 1.0


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


def _over_budget(reference: str, plan: BuildPlan, transcript: "Transcript") -> DeadlineExceeded:
    return DeadlineExceeded(
        f"the build of {reference}",
        after=plan.within,
        last_seen=transcript.instruction,
        hint="raise `build.timeout` in release.yaml, or make that instruction cheaper",
    )


class Transcript:
    """Reads the events of one build, shows each instruction as it starts, and keeps the log."""

    def __init__(self, reference: str, watch: Watch) -> None:
        self.instruction = "the Dockerfile"
        self._reference = reference
        self._watch = watch
        self._written = Tail()
        self._shown = 0.0

    @property
    def text(self) -> str:
        """The log so far; of a very long one, the end."""
        return str(self._written)

    @property
    def end(self) -> str:
        """The last lines of the log."""
        return "\n".join(self.text.splitlines()[-_END:])

    def read(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Follow a build to its end. Raises GateClosed when an instruction fails."""
        for event in events:
            if "error" in event:
                raise self.failure(event["error"])
            if "stream" in event:
                self._output(event["stream"])
            elif "status" in event:
                self._pull(event)

    def failure(self, reason: str) -> GateClosed:
        """The error of a build that the engine gave up, with the end of the log."""
        pulled = " FROM " in f"{self.instruction} "
        return GateClosed(
            f"could not build {self._reference}: {self.instruction} failed: got {reason.strip()}, "
            f"needs a Dockerfile that builds\n{self.end}".rstrip(),
            hint="pull the base image, or name one that can be reached" if pulled else "",
        )

    def _output(self, text: str) -> None:
        self._written.add(text)
        if text.startswith("Step "):
            self.instruction = text.strip()
            self._watch(self.instruction)

    def _pull(self, event: Mapping[str, Any]) -> None:
        words = (event.get("id"), event["status"], event.get("progress"))
        line = " ".join(word for word in words if word)
        if not event.get("progress"):
            self._written.add(f"{line}\n")
        now = time.monotonic()
        if now - self._shown >= _PULLS_SHOWN_EVERY_SECONDS:
            self._shown = now
            self._watch(line)


def image_of(
    reference: str, facts: Mapping[str, Any], history: Iterable[Mapping[str, Any]]
) -> Image:
    """The image that `reference` named, of an inspection and a history (newest layer first)."""
    repository, tag = _name(reference, facts)
    settings = facts["Config"]
    return Image(
        repository=repository,
        tag=tag,
        digest=Digest(facts["Id"]),
        size_bytes=facts["Size"],
        architecture=facts["Architecture"],
        layers=tuple(
            Layer(instruction(made.get("CreatedBy") or made.get("Comment", "")), made["Size"])
            for made in reversed(list(history))
        ),
        exposed_ports=tuple(
            sorted(int(port.partition("/")[0]) for port in settings.get("ExposedPorts") or ())
        ),
        variables=dict(entry.split("=", 1) for entry in settings.get("Env") or ()),
        manifest=_manifest(repository, facts),
    )


def instruction(created_by: str) -> str:
    """The Dockerfile's instruction behind a layer, whole: a secret may stand at its end.

    The classic builder writes `/bin/sh -c #(nop)  CMD ["x"]` and `/bin/sh -c pip ...`, BuildKit
    `RUN /bin/sh -c pip ... # buildkit`; content goes by its sha256, which tells nobody anything.
    """
    text = created_by.removesuffix("# buildkit").strip().removeprefix("RUN ")
    if text.startswith("/bin/sh -c #(nop)"):
        text = text.removeprefix("/bin/sh -c #(nop)").strip()
    elif text.startswith("/bin/sh -c "):
        text = "RUN " + text.removeprefix("/bin/sh -c ")
    return " ".join(_CONTENT.sub(r"\1", text).split())


def _name(reference: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    if reference.startswith("sha256:") or "@" in reference:
        tags = facts.get("RepoTags") or [""]
        wanted = reference.partition("@")[0]
        reference = next((tag for tag in tags if tag.startswith(f"{wanted}:")), tags[0])
    repository, tag = parse_repository_tag(reference)
    return repository, tag or "latest"


def _manifest(repository: str, facts: Mapping[str, Any]) -> Digest | None:
    """By which the repository's registry held the image when it was last pushed or pulled."""
    named = (name.split("@") for name in facts.get("RepoDigests") or ())
    return next((Digest(digest) for name, digest in named if name == repository), None)


def context_files(folder: Path) -> Iterator[Path]:
    """Every file that the engine is sent when an image is built from `folder`.

    Source: https://docs.docker.com/build/concepts/context/#dockerignore-files
    """
    for name in sorted(exclude_paths(str(folder), _patterns(folder / _IGNORING))):
        if (folder / name).is_file():
            yield folder / name


def _patterns(path: Path) -> list[str]:
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    stripped = (line.strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]
