"""Images as the engine describes them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from docker.utils import parse_repository_tag

from greenrun.model.image import Digest, Image, Layer

_CONTENT = re.compile(r"\b(file|dir|multi):[0-9a-f]{64}")


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
        command=(*(settings.get("Entrypoint") or ()), *(settings.get("Cmd") or ())),
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
    tags = facts.get("RepoTags") or [""]
    if "@" in reference:
        wanted = reference.partition("@")[0]
        reference = next((tag for tag in tags if tag.startswith(f"{wanted}:")), "")
        if not reference:
            return wanted, ""
    elif reference.startswith("sha256:"):
        reference = tags[0]
    repository, tag = parse_repository_tag(reference)
    return repository, tag or "latest"


def _manifest(repository: str, facts: Mapping[str, Any]) -> Digest | None:
    """By which the repository's registry held the image when it was last pushed or pulled."""
    named = (name.split("@") for name in facts.get("RepoDigests") or ())
    return next((Digest(digest) for name, digest in named if name == repository), None)
