"""Which image a reference means on this machine."""

import ipaddress

import docker
from docker.errors import APIError

from greenrun.local_cloud.machinery import ImageMissing


def image_id(engine: docker.DockerClient, reference: str) -> str:
    """The id of what `NAME:TAG` or `NAME@sha256:HEX` names; raise ImageMissing.

    HEX is a registry's digest or, for an image that was never pushed and so has none, its id. Only
    a registry on this machine is asked for what is missing: others may keep one waiting for long.
    """
    _, _, digest = reference.partition("@")
    found = _find(engine, reference) or (digest and _find(engine, digest)) or None
    if not found and is_local(registry_of(reference)):
        found = _pull(engine, reference)
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


def is_local(registry: str) -> bool:
    """Whether it is on a loopback address."""
    host = registry.rpartition(":")[0] or registry
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _find(engine: docker.DockerClient, reference: str) -> str | None:
    try:
        return engine.images.get(reference).id
    except APIError as error:
        if not error.is_client_error():  # 404, or 400 for what is no reference
            raise
        return None


def _pull(engine: docker.DockerClient, reference: str) -> str | None:
    try:
        return engine.images.pull(reference).id
    except APIError as error:
        raise ImageMissing(f"{reference}: {error.explanation}") from error
