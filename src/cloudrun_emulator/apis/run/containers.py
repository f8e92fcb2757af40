"""From a container of a template to an instance that can be started."""

import math
import re
from collections.abc import Mapping
from typing import Protocol

from google.cloud import run_v2

from cloudrun_emulator.core.interfaces import InstanceSpec, Mount
from cloudrun_emulator.core.resource_names import invalid, short

_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)([A-Za-z]*)")
_MEMORY_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_CPU_UNITS = {"": 1.0, "m": 0.001}


class SecretValues(Protocol):
    """Reads the payloads of secrets' versions."""

    def payload(self, project: str, secret: str, version: str) -> bytes:
        """Raise CloudError for a version that is missing or disabled."""
        ...

    def value(self, project: str, secret: str, version: str) -> str:
        """As `payload`; raise CloudError also for one that is no text."""
        ...


def instance_spec(  # noqa: PLR0913 - all by name, and all that a template has to say
    *,
    name: str,
    container: run_v2.Container,
    mounts: tuple[Mount, ...],
    resource: Mapping[str, str],
    extra_environment: Mapping[str, str],
    secrets: SecretValues,
    project: str,
) -> InstanceSpec:
    """Return what the machine needs to start `container`.

    `extra_environment` (the platform's own variables) wins over the template's. Raises CloudError
    when a secret cannot be read, or a quantity is no quantity.
    """
    limits = container.resources.limits
    return InstanceSpec(
        name=name,
        image=container.image,
        resource=dict(resource),
        environment={**_environment(container, secrets, project), **extra_environment},
        command=tuple(container.command),
        args=tuple(container.args),
        working_dir=container.working_dir,
        port=container.ports[0].container_port if container.ports else None,
        cpu=cpu(limits.get("cpu", "1")),
        memory_bytes=memory_bytes(limits.get("memory", "512Mi")),
        mounts=mounts,
        container=container.name,
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


def _environment(
    container: run_v2.Container, secrets: SecretValues, project: str
) -> dict[str, str]:
    return {variable.name: _value(variable, secrets, project) for variable in container.env}


def _value(variable: run_v2.EnvVar, secrets: SecretValues, project: str) -> str:
    if "value_source" not in variable:
        return variable.value
    reference = variable.value_source.secret_key_ref
    owner = owner_of(reference.secret, project)
    return secrets.value(owner, short(reference.secret), reference.version or "latest")


def owner_of(secret: str, project: str) -> str:
    """Return the project of a secret, which is `project` where its name tells none."""
    return secret.split("/")[1] if "/" in secret else project
