"""Images, the bytes that are released, and the working tree that they are made of."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path, PurePosixPath

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Digest:
    """A sha256: of an image's configuration (its id in an engine), or of its manifest."""

    text: str

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.text):
            raise ValueError(f"got {self.text!r}, needs sha256: and 64 hexadecimal digits")

    def __str__(self) -> str:
        return self.text

    @property
    def short(self) -> str:
        """The first twelve hexadecimal digits, as people quote them."""
        return self.text[7:19]


@dataclass(frozen=True, slots=True)
class Layer:
    """The layer that one instruction of the Dockerfile added."""

    instruction: str = field(repr=False)
    size_bytes: int

    @property
    def brief(self) -> str:
        """The instruction in at most 100 characters."""
        text = self.instruction
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@dataclass(frozen=True, slots=True)
class Image:
    """An image that was built. `digest` names its bytes for good, the image tag only for now.

    What was built elsewhere has no image tag here. `command` is what a container of it starts,
    ENTRYPOINT and CMD together. `manifest` is the digest by which a registry holds these bytes;
    None until it does.
    """

    repository: str
    tag: str
    digest: Digest
    size_bytes: int
    architecture: str
    layers: tuple[Layer, ...] = field(default=(), repr=False)
    command: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    manifest: Digest | None = None

    @property
    def name(self) -> str:
        """The name that people know it by: by its image tag, or where it has none, by digest."""
        return f"{self.repository}:{self.tag}" if self.tag else self.reference

    @property
    def reference(self) -> str:
        """The name under which exactly these bytes are deployed."""
        return f"{self.repository}@{self.manifest or self.digest}"

    def largest_layers(self, count: int = 3) -> tuple[Layer, ...]:
        """The layers that a size budget is spent on, largest first."""
        return tuple(sorted(self.layers, key=lambda layer: -layer.size_bytes)[:count])

    def describe(self) -> str:
        """All that an inspection shows, a line each; variables by name alone."""
        facts = (
            f"reference: {self.reference}",
            f"image id: {self.digest}",
            f"image tag: {self.tag or 'none'}",
            f"architecture: {self.architecture}",
            f"size: {self.size_bytes / 10**6:.1f} MB",
            f"command: {' '.join(self.command) or 'none'}",
            f"variables: {', '.join(self.variables) or 'none'}",
            "layers:",
        )
        layers = (f"{layer.size_bytes / 10**6:10.1f} MB  {layer.brief}" for layer in self.layers)
        return "\n".join((*facts, *layers))

    def __str__(self) -> str:
        return f"{self.name}@{self.digest.short}" if self.tag else self.reference


def repository_of(reference: str) -> str:
    """The repository of an image by its digest, its image tag or both."""
    named, _, _ = reference.partition("@")
    host, slash, path = named.rpartition("/")
    return f"{host}{slash}{path.partition(':')[0]}"


class TagPolicy(Enum):
    """The rule by which an image is tagged."""

    TIMESTAMP = "timestamp"
    BUILD_ID = "build-id"
    COMMIT = "commit"

    def tag(self, *, service: str, at: datetime, commit: str, build_id: int) -> str:
        """The image tag of a build.

        Args:
            service: the service's name, first part of a timestamp tag.
            at: when the build began; written as it stands, so give it in UTC.
            commit: the commit's full SHA.
            build_id: the number of the last build; the new one is one more.
        """
        match self:
            case TagPolicy.TIMESTAMP:
                return f"{service}-{at:%Y%m%d-%H%M%S}"
            case TagPolicy.BUILD_ID:
                return str(build_id + 1)
            case TagPolicy.COMMIT:
                return commit[:12]


@dataclass(frozen=True, slots=True)
class Build:
    """One run of the builder: its image and what it cost."""

    image: Image
    took: timedelta
    log: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Source:
    """A directory that an image is made of, at a commit by its full SHA."""

    directory: Path
    commit: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree. `branch` is empty where none is checked out; `subjects` are newest first.

    `changed` are paths relative to the tree's root that are not as the commit has them.
    """

    commit: str
    branch: str
    changed: tuple[str, ...]
    subjects: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """True when the tree is what the commit says."""
        return not self.changed

    def changed_beside(self, places: Iterable[PurePosixPath]) -> tuple[str, ...]:
        """List changed paths outside these folders and files."""
        aside = tuple(places)
        return tuple(
            path
            for path in self.changed
            if not any(PurePosixPath(path).is_relative_to(place) for place in aside)
        )


@dataclass(frozen=True, slots=True)
class Distance:
    """Commits between a branch and its twin on a remote."""

    ahead: int
    behind: int
