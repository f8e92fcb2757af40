"""Where images are made and kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from greenrun.model.image import Build, Digest, Image
from greenrun.model.interfaces.timeout import Timeout, Watch
from greenrun.model.plan import BuildPlan


class Builder(Protocol):
    """Makes images from a Dockerfile."""

    def engine(self) -> str:
        """The engine's own number (`20.10.24`). Raises CallFailed when none answers."""

    def lacks(self, plan: BuildPlan) -> Sequence[str]:
        """What a build needs and is not on this machine, a line each."""

    def sent(self, plan: BuildPlan) -> Sequence[Path]:
        """Every file that a build is sent, and an image may hold."""

    def build(self, plan: BuildPlan, *, tag: str, watch: Watch) -> Build:
        """Build and tag.

        Raises GateClosed with the end of the log when the Dockerfile fails, DeadlineExceeded over
        `plan.within`, CallFailed where something is lacking or the engine does not answer.
        """

    def pull(self, plan: BuildPlan, manifest: Digest, watch: Watch) -> Build:
        """Fetch the plan's image from its repository, by the digest of its manifest.

        Raises CallFailed where it cannot be had, DeadlineExceeded over `plan.within`.
        """

    def image(self, reference: str) -> Image | None:
        """Inspect an image of this machine, by name or digest."""

    def tag(self, digest: Digest, repository: str, tag: str) -> None:
        """Give an image of this machine another image tag."""


class Registry(Protocol):
    """Keeps images by the digests of their manifests; one repository per image.

    Every call raises CallFailed with what a person has to do when the registry refuses or does not
    answer, and DeadlineExceeded over its patience.
    """

    def push(self, image: Image, timeout: Timeout) -> Digest:
        """Send an image of this machine, under its image tag; the digest of its manifest.

        Layers that the registry has are not sent again; what breaks off is tried again.
        """

    def digest(self, repository: str, tag: str) -> Digest | None:
        """The manifest behind an image tag; None where there is no such tag."""

    def image_id(self, repository: str, manifest: Digest) -> Digest | None:
        """The id of the image behind a manifest, as engines have it; None where it is not held."""

    def tags(self, repository: str) -> Mapping[str, Digest]:
        """Every image tag of a repository, with the manifest behind it."""

    def remove(self, repository: str, manifest: Digest) -> None:
        """Take a manifest out, with every image tag of it. Nothing happens where there is none."""
