"""Which image a reference means on this machine."""

import docker
from docker.errors import APIError

from cloudrun_emulator.core.interfaces import ImageMissing
from cloudrun_emulator.runtime.pulling import pull


def image_id(engine: docker.DockerClient, reference: str) -> str:
    """The id of what `NAME:TAG` or `NAME@sha256:HEX` names; raise ImageMissing.

    HEX is a registry's digest or, for an image that was never pushed and so has none, its id. What
    is missing is pulled from the registry that the reference names.
    """
    _, _, digest = reference.partition("@")
    found = _find(engine, reference) or (digest and _find(engine, digest)) or None
    if not found and registry_of(reference):
        pull(reference)
        found = _find(engine, reference)
    if not found:
        raise ImageMissing(f"{reference}: no such image on this machine")
    return found


def registry_of(reference: str) -> str:
    """Host and port of the registry that a reference names; empty when it names none.

    The first part of a name is a registry when it has a dot or a colon, or is `localhost`.
    Source: the reference grammar of the Docker distribution project.
    """
    first, slash, _ = reference.partition("/")
    named = slash and (first == "localhost" or "." in first or ":" in first)
    return first if named else ""


def _find(engine: docker.DockerClient, reference: str) -> str | None:
    try:
        return engine.images.get(reference).id
    except APIError as error:
        if not error.is_client_error():  # 404, or 400 for what is no reference
            raise
        return None
