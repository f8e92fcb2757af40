"""Image references: the id that one means on this machine, pulled where it is missing."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import timedelta
from time import monotonic
from typing import Any

import docker
from docker.errors import APIError, InvalidRepository
from docker.utils import kwargs_from_env, parse_repository_tag
from requests import PreparedRequest, RequestException, Response
from urllib3.exceptions import HTTPError

from cloudrun_emulator.core.interfaces import ImageMissing


def image_id(engine: docker.DockerClient, reference: str) -> str:
    """The id of what `NAME:TAG` or `NAME@sha256:HEX` names; raise ImageMissing.

    HEX is a registry's digest or, for an image that was never pushed and so has none, its id. What
    is missing is pulled from the registry that the reference names.
    """
    _, _, digest = reference.partition("@")
    found = _image_id(engine, reference) or (digest and _image_id(engine, digest)) or None
    if not found and registry_of(reference):
        pull(reference)
        found = _image_id(engine, reference)
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


def _image_id(engine: docker.DockerClient, reference: str) -> str | None:
    try:
        return engine.images.get(reference).id
    except APIError as error:
        if not error.is_client_error():  # 404, or 400 for what is no reference
            raise
        return None


WITHIN = timedelta(minutes=5)


def pull(reference: str, within: timedelta = WITHIN) -> None:
    """Pull by image tag or by digest; raise ImageMissing with what the engine said.

    The engine speaks plain HTTP to registries on loopback, and as nobody unless `docker login` knew
    the registry. It may be silent for as long as `within`, and so take twice that in all.
    """
    repository, tag = parse_repository_tag(reference)
    with closing(TimedClient(within)) as client:
        try:
            events = client.pull(repository, tag or "latest", stream=True, decode=True)
            refused = _first_error(events, monotonic() + within.total_seconds())
        except APIError as error:
            refused = str(error.explanation)
        except InvalidRepository as error:
            refused = str(error)
        except (RequestException, HTTPError, TimeoutError):
            refused = f"could not be pulled within {within.total_seconds():g} s"
    if refused:
        raise ImageMissing(f"{reference}: {refused}")


class TimedClient(docker.APIClient):
    """A client whose pulls have a time limit too; docker's own wait for ever."""

    def __init__(self, within: timedelta) -> None:
        self._seconds = within.total_seconds()
        self._answer: Response | None = None
        super().__init__(**kwargs_from_env())

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # noqa: ANN401 - the parent's
        self._answer = super().send(request, **{**options, "timeout": self._seconds})
        return self._answer

    def close(self) -> None:
        """End the last answer, too, which may not have been read to its end."""
        if self._answer is not None:
            self._answer.close()
        super().close()


def _first_error(events: Iterable[Mapping[str, str]], ends: float) -> str:
    for event in events:
        if "error" in event:
            return event["error"]
        if monotonic() > ends:
            raise TimeoutError
    return ""
