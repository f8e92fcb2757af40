"""Reaching the Docker engine, and leaving off what takes too long."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Timer
from types import TracebackType
from typing import Self

import docker
from docker.errors import DockerException
from docker.utils import kwargs_from_env
from requests import RequestException, Response
from urllib3.exceptions import HTTPError

from greenrun.model.errors import CallFailed

FAILURES = (DockerException, RequestException, HTTPError)
"""Everything by which docker-py says that it got no answer, or a refusal."""


def connect() -> docker.APIClient:
    """A connection to the engine that DOCKER_HOST names; the caller closes it."""
    with refused("reach the Docker engine"):
        return docker.APIClient(**kwargs_from_env())


def engine_host() -> str:
    """Where that engine is, whatever context was chosen for the docker command."""
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


@contextmanager
def refused(what: str) -> Iterator[None]:
    """Translate the engine's refusals; `what` completes `could not ...`."""
    try:
        yield
    except FAILURES as error:
        raise CallFailed(
            f"could not {what}: got {error}, needs an engine that answers",
            hint="start the Docker engine; `docker info` shows whether it answers",
        ) from error


class Cutoff:
    """Breaks a streamed answer off when its time is up, upon which the engine stops working on it.

    Hold it around the call and around reading the answer: reading fails once it has struck.
    """

    def __init__(self, client: docker.APIClient, after: timedelta) -> None:
        self.struck = False
        self._response: Response | None = None
        self._timer = Timer(after.total_seconds(), self._strike)
        self._timer.daemon = True
        client.hooks["response"].append(self._keep)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._response is not None:
            self._response.close()

    def _keep(self, response: Response, **_: object) -> None:
        self._response = response
        if self.struck:
            raise RequestException("its time was up before the engine began to answer")

    def _strike(self) -> None:
        self.struck = True
        if self._response is not None:
            # An answer that ended in this very moment has no socket left to shut.
            with suppress(RuntimeError, OSError):
                self._response.raw.shutdown()
