"""Building by the engine's classic builder, which needs nothing on this machine beside us."""

import base64
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from docker import APIClient
from docker.errors import APIError, create_api_error_from_http_exception
from docker.utils.json_stream import json_stream
from requests import HTTPError

from greenrun.adapters.docker.context import BuildOrder, readable
from greenrun.adapters.docker.engine import FAILURES, Cutoff
from greenrun.adapters.docker.transcript import Transcript
from greenrun.adapters.registry.address import Address
from greenrun.adapters.registry.login import engine_login
from greenrun.model.errors import CallFailed, GateClosed

NAME = "the engine's classic builder"
_INSTALL = "correct it, or install docker-buildx if BuildKit is meant: no command here speaks to it"
_UNSET = "correct it, or unset DOCKER_BUILDKIT if BuildKit is meant: 0 asks for the classic builder"
_NEWER = re.compile(r"(?i)BuildKit|unknown (flag|instruction)|parse error|platform")
"""What the classic builder says of an instruction that BuildKit knows."""

_STARTS = re.compile(rb"(?im)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)(?:[ \t]+AS[ \t]+(\S+))?")
_COPIES = re.compile(rb"(?im)^[ \t]*(?:COPY|ADD)[ \t].*?--from=(\S+)")
_ARGUMENT = re.compile(rb"(?im)^[ \t]*ARG[ \t]+(\w+)=[\"']?([^\s\"']*)")
_KEYS = {"docker.io": "https://index.docker.io/v1/"}
"""Under which engines look for the credentials of a registry, if not under its host."""

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?[-+]([^}]*))?\})")


@dataclass(frozen=True, slots=True)
class Classic:
    """The builder that every engine has; it knows no secrets and no mounts."""

    client: APIClient
    name: str = NAME

    def build(self, order: BuildOrder, transcript: Transcript) -> None:
        """Build and tag. Raises as Builder.build does."""
        if order.plan.secrets:
            raise transcript.failure("build.secrets", _hint())
        with Cutoff(self.client, order.plan.within) as cutoff:
            try:
                read_events(self._events(order, transcript), transcript)
            except APIError as error:
                raise _failure(transcript, str(error.explanation)) from error
            except FAILURES as error:
                if cutoff.struck:
                    raise transcript.over_budget(order.plan) from error
                raise CallFailed(
                    f"could not build {order.reference}: lost the engine at "
                    f"{transcript.instruction}: got {error}",
                    hint="`docker info` shows whether the engine answers",
                ) from error

    def _events(self, order: BuildOrder, transcript: Transcript) -> Iterator[Mapping[str, Any]]:
        """Send it by ourselves: docker-py asks the helpers of all registries, needed or not."""
        plan = order.plan
        with readable(order.context):
            archive, dockerfile = order.context.archive()
        asked: dict[str, str | bool] = {
            "t": order.reference,
            "dockerfile": dockerfile,
            "platform": plan.platform,
            "labels": json.dumps(dict(order.labels)),
            "buildargs": json.dumps(dict(plan.args)),
            "target": plan.target,
            "rm": True,
            "forcerm": True,
        }
        logins = dict(_logins(base_images(order.context.instructions, plan.args), transcript))
        headers = {
            "content-type": "application/x-tar",
            "x-registry-config": base64.urlsafe_b64encode(json.dumps(logins).encode()).decode(),
        }
        url = f"{self.client.base_url}/v{self.client.api_version}/build"
        with (
            archive,
            self.client.post(
                url, data=archive, params=asked, headers=headers, stream=True, timeout=None
            ) as response,
        ):
            try:
                response.raise_for_status()
            except HTTPError as error:
                raise create_api_error_from_http_exception(error) from error
            yield from cast("Iterator[Mapping[str, Any]]", json_stream(response.iter_content(None)))


def read_events(events: Iterable[Mapping[str, Any]], transcript: Transcript) -> None:
    """Follow a build to its end. Raises GateClosed when an instruction fails."""
    for event in events:
        _read(event, transcript)


def _read(event: Mapping[str, Any], transcript: Transcript) -> None:
    if "error" in event:
        raise _failure(transcript, event["error"])
    if "stream" in event:
        transcript.add(event["stream"])
        if event["stream"].startswith("Step "):
            transcript.begin(event["stream"].strip())
    elif "status" in event:
        words = (event.get("id"), event["status"], event.get("progress"))
        line = " ".join(word for word in words if word)
        if not event.get("progress"):
            transcript.add(f"{line}\n")
        transcript.progress(line)


def _failure(transcript: Transcript, reason: str) -> GateClosed:
    return transcript.failure(reason, _hint() if _NEWER.search(reason) else "")


def _hint() -> str:
    return _UNSET if os.environ.get("DOCKER_BUILDKIT") == "0" else _INSTALL


def _logins(
    images: Sequence[str], transcript: Transcript
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """What is known for the registries of these images; none is insisted on."""
    for host, address in {it.host: it for it in _addresses(images)}.items():
        try:
            login = engine_login(address)
        except CallFailed as error:
            transcript.note(f"going on without credentials for {host}: {error.message}")
            continue
        if login is not None:
            yield _KEYS.get(host, host), login.for_engine()


def _addresses(images: Sequence[str]) -> Iterator[Address]:
    for image in images:
        with suppress(CallFailed):  # the engine says what is wrong with it
            yield Address.of(image.partition("@")[0])


def base_images(instructions: bytes, args: Mapping[str, str]) -> tuple[str, ...]:
    """List the images that a Dockerfile starts from or copies from; an ARG has its default."""
    values = {_text(name): _text(value) for name, value in _ARGUMENT.findall(instructions)}
    starts = _STARTS.findall(instructions)
    stages = {_text(stage).lower() for _, stage in starts if stage} | {"scratch"}
    named = [*(image for image, _ in starts), *_COPIES.findall(instructions)]
    images = dict.fromkeys(_filled(_text(image), {**values, **args}) for image in named)
    return tuple(image for image in images if image.lower() not in stages and not image.isdecimal())


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[3] or found[0]), text)


def _text(found: bytes) -> str:
    return found.decode("utf-8", "replace")
