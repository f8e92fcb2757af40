"""Flags of several values: variables, secrets, probes, volumes."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from greenrun.model.revision import ContainerProbe, flags_of
from greenrun_cli.init.facts import Facts, Said
from greenrun_cli.init.reading.secrets import looks_secret
from greenrun_cli.init.reading.shell import plain, unknown

Reader = Callable[[str, str, Facts], None]

WITH_SECRETS = frozenset({"set-env-vars", "update-env-vars", "env-vars"})
"""Flags whose values are looked at one by one, and never shown."""

_DELIMITED = re.compile(r"\^([^^]+)\^(.*)", re.DOTALL)
_PROBE = {
    "httpGet.path": "path",
    "periodSeconds": "period",
    "failureThreshold": "failure-threshold",
    "timeoutSeconds": "timeout",
    "initialDelaySeconds": "initial-delay",
    **dict.fromkeys(("httpGet.port", "tcpSocket.port", "grpc.port"), "port"),
}


def entries(value: str) -> list[str]:
    """Entries between commas, or between what `^DELIMITER^` names (gcloud topic escaping)."""
    escaped = _DELIMITED.fullmatch(value)
    parts = escaped[2].split(escaped[1]) if escaped else value.split(",")
    return [part.strip() for part in parts if part.strip()]


def variables(value: str, place: str, facts: Facts) -> None:
    if value.startswith("\u2039"):
        why = f"{unknown(value)} is not known; name a file of variables by `env-vars-file`"
        facts.skip(place, "variables", why)
        return
    for entry in entries(value):
        name, separator, text = entry.partition("=")
        if not separator:
            facts.skip(place, plain(entry), "needs NAME=VALUE; name a file by `env-vars-file`")
        elif looks_secret(name, text):
            facts.set_secret(name, f"{name}:latest", place)
            why = "looks like a secret, and was not taken over: put it into Secret Manager under"
            facts.skip(place, name, f"{why} this name")
        elif lacking := unknown(text):
            facts.skip(place, name, f"{lacking} is not known from this file")
        else:
            facts.set_variable(name, text, place)


def secrets(value: str, place: str, facts: Facts) -> None:
    for entry in entries(value):
        name, _, reference = entry.partition("=")
        secret, _, version = reference.partition(":")
        facts.set_secret(name, f"{secret.rpartition('/')[2]}:{version or 'latest'}", place)


def _probe(flag: str, value: str, place: str, facts: Facts) -> None:
    known = {row.key for row in flags_of(ContainerProbe)}
    probe: dict[str, Any] = {}
    for entry in entries(value):
        name, _, text = entry.partition("=")
        key = _PROBE.get(name, name)
        if key not in known:
            facts.skip(place, f"--{flag} {entry}", f"no key of deploy.{flag}")
        elif name.endswith("Seconds"):
            probe[key] = f"{text}s"
        else:
            probe[key] = int(text) if text.isdecimal() else text
    if probe:
        facts.say(f"deploy.{flag}", probe, place)


def _volume(value: str, place: str, facts: Facts) -> None:
    """Storage by its name; `--add-volume-mount` tells where it is found."""
    said = dict(entry.split("=", 1) for entry in entries(value) if "=" in entry)
    name, kind = said.get("name", ""), said.get("type", "")
    source = {
        "cloud-storage": f"gcs:{said.get('bucket', '')}",
        "nfs": f"nfs:{said.get('location', '')}",
        "in-memory": "in-memory",
    }.get(kind)
    if not name or source is None:
        facts.skip(place, f"--add-volume {value}", "see `volumes` in docs/release-yaml.md")
        return
    more = {"size-limit": said["size-limit"]} if "size-limit" in said else {}
    readonly = {"readonly": True} if said.get("readonly") == "true" else {}
    _add_volume(name, {"source": source, **more, **readonly}, place, facts)


def _mount(value: str, place: str, facts: Facts) -> None:
    said = dict(entry.split("=", 1) for entry in entries(value) if "=" in entry)
    _add_volume(said.get("volume", ""), {"path": said.get("mount-path", "")}, place, facts)


def _add_volume(name: str, more: Mapping[str, object], place: str, facts: Facts) -> None:
    """Lay it over what is said of the volume already, unless release.yaml cannot have it."""
    known = facts.said.pop("deploy.volumes", Said({}, place))
    before = known.value if isinstance(known.value, dict) else {}
    said = {**before, name: {**before.get(name, {}), **more}}
    if why := facts.refusal("deploy.volumes", said):
        facts.skip(place, f"volume {name}", why)
        said = before
    if said:
        facts.say("deploy.volumes", said, known.place)


READERS: Mapping[str, Reader] = {
    **dict.fromkeys(("set-secrets", "update-secrets"), secrets),
    **{
        flag: partial(_probe, flag)
        for flag in ("startup-probe", "liveness-probe", "readiness-probe")
    },
    "add-volume": _volume,
    "add-volume-mount": _mount,
}
