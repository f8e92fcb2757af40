"""An engine and a registry in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from greenrun.model.image import Build, Digest, Image
from greenrun.model.interfaces import Timeout, Watch
from greenrun.model.plan import BuildPlan

IMAGE_ID = Digest("sha256:" + "a" * 64)
MANIFEST = Digest("sha256:" + "b" * 64)


@dataclass
class FakeBuilder:
    """An engine whose every build gives the same image."""

    number: str = "20.10.24"
    tags: dict[str, Digest] = field(default_factory=dict)
    lacking: Sequence[str] = ()
    command: tuple[str, ...] = ("serve",)
    pulled: list[str] = field(default_factory=list)

    def engine(self) -> str:
        return self.number

    def lacks(self, plan: BuildPlan) -> Sequence[str]:
        assert plan.repository
        return self.lacking

    def sent(self, plan: BuildPlan) -> Sequence[Path]:
        assert plan.repository
        return ()

    def build(self, plan: BuildPlan, *, tag: str, watch: Watch) -> Build:
        watch("Step 1/1 : FROM scratch")
        image = Image(plan.repository, tag, IMAGE_ID, 10**8, "amd64", command=self.command)
        self.tags[f"{plan.repository}:{tag}"] = image.digest
        return Build(image, timedelta(seconds=1), "Step 1/1 : FROM scratch")

    def pull(self, plan: BuildPlan, manifest: Digest, watch: Watch) -> Build:
        watch(f"pulling {manifest.short}")
        self.pulled.append(f"{plan.repository}@{manifest}")
        image = Image(
            plan.repository, "", IMAGE_ID, 10**8, "amd64", command=self.command, manifest=manifest
        )
        return Build(image, timedelta(seconds=1), "pulled")

    def image(self, reference: str) -> Image | None:
        repository = reference.partition("@")[0]
        known = str(IMAGE_ID) in reference
        return Image(repository, "", IMAGE_ID, 10**8, "amd64") if known else None

    def tag(self, digest: Digest, repository: str, tag: str) -> None:
        self.tags[f"{repository}:{tag}"] = digest


@dataclass
class MemoryRegistry:
    """Manifests by image tag: the same for all, as every build makes the same image.

    `sent` has the names that were pushed. `swapped` makes a push arrive as other bytes.
    """

    held: dict[str, Digest] = field(default_factory=dict)
    ids: dict[Digest, Digest] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    swapped: Digest | None = None

    def push(self, image: Image, timeout: Timeout) -> Digest:
        timeout.watch("pushing")
        name = f"{image.repository}:{image.tag}"
        self.sent.append(name)
        self.held[name] = MANIFEST
        self.ids[MANIFEST] = self.swapped or image.digest
        return MANIFEST

    def digest(self, repository: str, tag: str) -> Digest | None:
        return self.held.get(f"{repository}:{tag}")

    def image_id(self, repository: str, manifest: Digest) -> Digest | None:
        assert repository
        return self.ids.get(manifest)

    def tags(self, repository: str) -> Mapping[str, Digest]:
        start = f"{repository}:"
        return {
            name.removeprefix(start): digest
            for name, digest in self.held.items()
            if name.startswith(start)
        }

    def remove(self, repository: str, manifest: Digest) -> None:
        assert repository
        self.held = {name: digest for name, digest in self.held.items() if digest != manifest}
        self.ids.pop(manifest, None)
