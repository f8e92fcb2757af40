"""From a container of a template to an instance that can be started."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Protocol

from google.cloud import run_v2
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode

from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import InstanceSpec, Mount
from cloudrun_emulator.core.resource_names import invalid, short

LONGEST_START_UP = timedelta(seconds=240)
"""Source: Cloud Run, container health checks."""

_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)([A-Za-z]*)")
_IMAGE = re.compile(r"[A-Za-z0-9]+(?:(?:[._:/@]|__|-+)[A-Za-z0-9]+)*")
_LAST_PORT = 65_535
_MEMORY_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_CPU_UNITS = {"": 1.0, "m": 0.001}


class SecretValues(Protocol):
    """Reads the values of secrets' versions."""

    def value(self, project: str, secret: str, version: str) -> str:
        """Raise CloudError for a version that is missing or disabled."""
        ...


def instance_spec(  # noqa: PLR0913 - all by name, and all that a template has to say
    *,
    name: str,
    container: run_v2.Container,
    volumes: Iterable[run_v2.Volume],
    resource: Mapping[str, str],
    extra_environment: Mapping[str, str],
    secrets: SecretValues,
    project: str,
) -> InstanceSpec:
    """Return what the machine needs to start `container`.

    `extra_environment` (the platform's own variables) wins over the template's. Raises CloudError
    when a secret cannot be read, a quantity is no quantity, or a volume is of no known kind.
    """
    limits = container.resources.limits
    return InstanceSpec(
        name=name,
        image=container.image,
        resource=dict(resource),
        environment={**_environment(container, secrets, project), **extra_environment},
        command=tuple(container.command),
        args=tuple(container.args),
        port=container.ports[0].container_port if container.ports else None,
        cpu=cpu(limits.get("cpu", "1")),
        memory_bytes=memory_bytes(limits.get("memory", "512Mi")),
        mounts=mounts(name, container, volumes),
    )


def cpu(quantity: str) -> float:
    """CPUs of "2" or "1000m"; raises INVALID_ARGUMENT for another form."""
    return _amount(quantity, _CPU_UNITS)


def memory_bytes(quantity: str) -> int:
    """Bytes of "512Mi" or "4Gi"; raises INVALID_ARGUMENT for another form."""
    return math.ceil(_amount(quantity, _MEMORY_UNITS))


def _amount(quantity: str, units: Mapping[str, float]) -> float:
    match = _QUANTITY.fullmatch(quantity)
    amount = float(match[1]) * units.get(match[2], 0) if match else 0
    if not amount:
        raise invalid(f"Invalid quantity '{quantity}'.")
    return amount


def check_container(container: run_v2.Container, field: str) -> None:
    """Raise INVALID_ARGUMENT for the first thing that no machine could start.

    `field` is where the container stands in the request.
    """
    if not container.image:
        raise invalid(f"{field}.image: should be specified.")
    if not _IMAGE.fullmatch(container.image):
        raise invalid(f"{field}.image: '{container.image}' is not a valid image reference.")
    cpu(container.resources.limits.get("cpu", "1"))
    memory_bytes(container.resources.limits.get("memory", "512Mi"))
    probe = container.startup_probe
    ports = [port.container_port for port in container.ports]
    for port in (*ports, probe.http_get.port, probe.tcp_socket.port):
        if not 0 <= port <= _LAST_PORT:
            raise invalid(f"{field}: a port is from 1 to {_LAST_PORT}, got {port}.")


def check_timeout(timeout: Duration, longest: timedelta, field: str) -> None:
    """Raise INVALID_ARGUMENT for one that is negative or longer than `longest`."""
    if not 0 <= timeout.seconds <= longest.total_seconds() or timeout.nanos < 0:
        longest_seconds = int(longest.total_seconds())
        raise invalid(f"{field}: from 0 to {longest_seconds} seconds, got {timeout.seconds}.")


def _environment(
    container: run_v2.Container, secrets: SecretValues, project: str
) -> dict[str, str]:
    return {variable.name: _value(variable, secrets, project) for variable in container.env}


def _value(variable: run_v2.EnvVar, secrets: SecretValues, project: str) -> str:
    if "value_source" not in variable:
        return variable.value
    reference = variable.value_source.secret_key_ref
    owner = reference.secret.split("/")[1] if "/" in reference.secret else project
    return secrets.value(owner, short(reference.secret), reference.version or "latest")


def mounts(
    instance: str, container: run_v2.Container, volumes: Iterable[run_v2.Volume]
) -> tuple[Mount, ...]:
    """Raise INVALID_ARGUMENT for a volume that is not there, UNIMPLEMENTED for an unknown kind."""
    by_name = {volume.name: volume for volume in volumes}
    unknown = [mount.name for mount in container.volume_mounts if mount.name not in by_name]
    if unknown:
        raise invalid(f"Volume mount '{unknown[0]}' refers to a volume that does not exist.")
    return tuple(
        _mount(instance, by_name[mount.name], mount.mount_path) for mount in container.volume_mounts
    )


def _mount(instance: str, volume: run_v2.Volume, path: str) -> Mount:
    if "empty_dir" in volume:
        return Mount(f"{instance}-{volume.name}", path)
    if "gcs" in volume:
        return Mount(f"gcs-{volume.gcs.bucket}", path, read_only=volume.gcs.read_only)
    if "nfs" in volume:
        return Mount(f"nfs-{volume.nfs.server}{volume.nfs.path}", path, volume.nfs.read_only)
    raise CloudError(
        StatusCode.UNIMPLEMENTED,
        f"Volume '{volume.name}': only empty_dir, gcs and nfs volumes can be mounted here.",
    )
