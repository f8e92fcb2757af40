"""Templates that Cloud Run refuses before anything happens.

Where a comment names no other source, the wording is that of Google's documentation or ours.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter

from google.cloud import run_v2
from google.protobuf.duration_pb2 import Duration

from cloudrun_emulator.apis.run import probes, resources
from cloudrun_emulator.apis.run.containers import cpu, memory_bytes
from cloudrun_emulator.core.resource_names import invalid

Template = run_v2.RevisionTemplate | run_v2.TaskTemplate

_IMAGE = re.compile(r"[A-Za-z0-9]+(?:(?:[._:/@]|__|-+)[A-Za-z0-9]+)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_MOST_CONTAINERS = 10
_LONGEST_VARIABLE = 32_768
"""Bytes of a value, characters of a name. Source: comments on EnvVar."""

_PLATFORM = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
"""Variables that nobody may set. Source: Cloud Run, container runtime contract."""

_MOST_MODE = 0o777
_RESERVED = (
    "run.googleapis.com",
    "cloud.googleapis.com",
    "serving.knative.dev",
    "autoscaling.knative.dev",
)
_GEN1 = run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN1


def check_containers(containers: Sequence[run_v2.Container], field: str) -> None:
    """Raise INVALID_ARGUMENT for the first thing that no machine could start.

    `field` is where the containers stand in the request.
    """
    if not 0 < len(containers) <= _MOST_CONTAINERS:
        raise invalid(f"{field}: from 1 to {_MOST_CONTAINERS} containers, got {len(containers)}.")
    for index, container in enumerate(containers):
        _check_container(container, f"{field}[{index}]")
    _check_names((container.name for container in containers), field)
    _check_dependencies(containers, field)


def check_exposed(containers: Sequence[run_v2.Container], field: str) -> None:
    """Raise INVALID_ARGUMENT unless one container is reached.

    Source of two wordings: terraform-google-cloud-run issue 302, magic-modules PR 10173 [REP].
    """
    for index, container in enumerate(containers):
        if len(container.ports) > 1:
            raise invalid(f"{field}[{index}].ports: ports should contain 0 or 1 port.")
        for port in container.ports:
            if port.name not in {"", "http1", "h2c"}:
                raise invalid(f"{field}[{index}].ports[0].name: http1 or h2c, got '{port.name}'.")
    if sum(bool(container.ports) for container in containers) != 1:
        raise invalid(
            f"{field}: Revision template should contain exactly one container with an exposed port."
        )


def check_volumes(template: Template, field: str) -> None:
    """Raise INVALID_ARGUMENT for a volume that cannot be made, or a mount of none."""
    _check_names((volume.name for volume in template.volumes), f"{field}.volumes", required=True)
    for index, volume in enumerate(template.volumes):
        _check_volume(volume, f"{field}.volumes[{index}]")
    if template.execution_environment == _GEN1:
        for volume in template.volumes:
            if "nfs" in volume or "gcs" in volume:
                raise invalid(
                    f"{field}.volumes: volume '{volume.name}' needs the second generation "
                    "execution environment."
                )
    kinds = {volume.name: volume for volume in template.volumes}
    for index, container in enumerate(template.containers):
        _check_mounts(container, kinds, f"{field}.containers[{index}].volume_mounts")


def check_namespaces(keys: Iterable[str]) -> None:
    """Raise INVALID_ARGUMENT for a label or an annotation that is the platform's own."""
    for key in keys:
        namespace = key.partition("/")[0]
        if any(namespace == one or namespace.endswith(f".{one}") for one in _RESERVED):
            raise invalid(f"System label or annotation '{key}' is not supported in API v2.")


def check_timeout(timeout: Duration, longest: timedelta, field: str) -> None:
    """Raise INVALID_ARGUMENT for one that is negative or longer than `longest`."""
    if not 0 <= timeout.seconds <= longest.total_seconds() or timeout.nanos < 0:
        longest_seconds = int(longest.total_seconds())
        raise invalid(f"{field}: from 0 to {longest_seconds} seconds, got {timeout.seconds}.")


def start_order(containers: Sequence[run_v2.Container]) -> list[run_v2.Container]:
    """Return them so that each comes after those that it depends on; raise CycleError."""
    by_name = {container.name: container for container in containers}
    order = TopologicalSorter({one.name: list(one.depends_on) for one in containers})
    return [by_name[name] for name in order.static_order()]


def _check_container(container: run_v2.Container, field: str) -> None:
    if not container.image:
        raise invalid(f"{field}.image: should be specified.")
    if not _IMAGE.fullmatch(container.image):
        raise invalid(f"{field}.image: '{container.image}' is not a valid image reference.")
    cpu(container.resources.limits.get("cpu", "1"))
    memory_bytes(container.resources.limits.get("memory", "512Mi"))
    resources.check_keys(container.resources.limits, f"{field}.resources.limits")
    _check_variables(container, f"{field}.env")
    for port in container.ports:
        probes.check_port(port.container_port, field)
    probes.check_startup(container.startup_probe, f"{field}.startup_probe")
    probes.check_running(container.liveness_probe, f"{field}.liveness_probe")
    probes.check_running(container.readiness_probe, f"{field}.readiness_probe")


def _check_variables(container: run_v2.Container, field: str) -> None:
    """A sidecar may name its own PORT: the platform gives it none."""
    names: set[str] = set()
    for variable in container.env:
        name, size = variable.name, len(variable.value.encode())
        if not name or "=" in name or len(name) > _LONGEST_VARIABLE:
            raise invalid(f"{field}: '{name[:80]}' is not the name of a variable.")
        if name in _PLATFORM and container.ports:
            raise invalid(
                f"{field}: The following reserved env names were provided: {name}. "
                "These values are automatically set by the system."
            )
        if name in names:
            raise invalid(f"{field}: variable '{name}' is there twice.")
        if size > _LONGEST_VARIABLE:
            raise invalid(
                f"{field}: the value of '{name}' has {size} bytes, "
                f"the maximum is {_LONGEST_VARIABLE}."
            )
        names.add(name)


def _check_names(names: Iterable[str], field: str, *, required: bool = False) -> None:
    """Names are labels of DNS, and tell apart what they name; those of containers may be empty."""
    seen: set[str] = set()
    for name in names:
        if name and not _LABEL.fullmatch(name):
            raise invalid(
                f"{field}: '{name}' is no name: lower case letters, digits and hyphens, at most 63."
            )
        if required and not name:
            raise invalid(f"{field}: a name should be specified.")
        if name and name in seen:
            raise invalid(f"{field}: the name '{name}' is there twice.")
        seen.add(name)


def _check_dependencies(containers: Sequence[run_v2.Container], field: str) -> None:
    """Source of the second wording: GoogleCloudPlatform/cloud-run-samples issue 230 [REP]."""
    by_name = {container.name: container for container in containers if container.name}
    for index, container in enumerate(containers):
        for name in container.depends_on:
            where = f"{field}[{index}].depends_on"
            if name not in by_name:
                raise invalid(f"{where}: Dependent container '{name}' does not exist.")
            if "startup_probe" not in by_name[name]:
                raise invalid(
                    f"{where}: Dependent container '{name}' must have startup probe specified"
                )
    try:
        start_order(containers)
    except CycleError as cycle:
        raise invalid(f"{field}: depends_on has a cycle: {' -> '.join(cycle.args[1])}.") from cycle


def _check_volume(volume: run_v2.Volume, field: str) -> None:
    if "secret" in volume:
        _check_secret(volume.secret, f"{field}.secret")
    elif "cloud_sql_instance" in volume:
        _check_cloud_sql(volume.cloud_sql_instance.instances, f"{field}.cloud_sql_instance")
    elif "empty_dir" in volume:
        if volume.empty_dir.size_limit:
            memory_bytes(volume.empty_dir.size_limit)
    elif "nfs" in volume:
        if not volume.nfs.server or not volume.nfs.path.startswith("/"):
            raise invalid(f"{field}.nfs: a server and an absolute path should be specified.")
    elif "gcs" in volume:
        if not volume.gcs.bucket:
            raise invalid(f"{field}.gcs.bucket: should be specified.")
    else:
        raise invalid(f"{field}: a source should be specified.")


def _check_secret(source: run_v2.SecretVolumeSource, field: str) -> None:
    if not source.secret:
        raise invalid(f"{field}.secret: should be specified.")
    for item in source.items:
        if not item.path or not item.version:
            raise invalid(f"{field}.items: a path and a version should be specified.")
        if item.path.startswith("/") or ".." in item.path.split("/"):
            raise invalid(f"{field}.items: '{item.path}' must be a relative path without '..'.")
    for mode in (source.default_mode, *(item.mode for item in source.items)):
        if not 0 <= mode <= _MOST_MODE:
            raise invalid(f"{field}: a mode is from 0 to 0777 (octal), got {mode:#o}.")


def _check_cloud_sql(instances: Sequence[str], field: str) -> None:
    for instance in instances:
        if len(instance.split(":")) not in {3, 4} or not all(instance.split(":")):
            raise invalid(f"{field}.instances: PROJECT:LOCATION:INSTANCE, got '{instance}'.")


def _check_mounts(
    container: run_v2.Container, volumes: dict[str, run_v2.Volume], field: str
) -> None:
    paths: set[str] = set()
    for mount in container.volume_mounts:
        if mount.name not in volumes:
            raise invalid(
                f"{field}: Volume mount '{mount.name}' refers to a volume that does not exist."
            )
        path = mount.mount_path.rstrip("/")
        if "cloud_sql_instance" in volumes[mount.name]:
            if path not in {"", "/cloudsql"}:
                raise invalid(f"{field}: Cloud SQL is mounted at /cloudsql, got '{path}'.")
        elif not path.startswith("/") or ":" in path:
            raise invalid(f"{field}: '{mount.mount_path}' must be an absolute path without ':'.")
        if path in paths:
            raise invalid(f"{field}: '{mount.mount_path}' is there twice.")
        paths.add(path)
