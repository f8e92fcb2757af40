"""A local cloud that stands alone: by name of a runtime, after whoever was killed before it."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from docker.errors import DockerException

from cloudrun_emulator.apis.resourcemanager.permissions import UnknownPermission, possible
from cloudrun_emulator.core.interfaces import Runtime
from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.faults.language import UnknownFault
from cloudrun_emulator.faults.registry import Faults
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.ingress.process import EnvoyFailed
from cloudrun_emulator.runtime.cleanup import clean_up_leftovers
from cloudrun_emulator.runtime.docker import DockerRuntime
from cloudrun_emulator.runtime.in_process import InProcessRuntime

__all__ = ["RUNTIMES", "CannotStart", "UnknownFault", "UnknownPermission", "start"]

RUNTIMES: Mapping[str, type[DockerRuntime | InProcessRuntime]] = {
    "docker": DockerRuntime,
    "in-process": InProcessRuntime,
}


class CannotStart(Exception):
    """This machine lacks what a local cloud runs on; the message says what, in one line."""


def start(
    runtime: str,
    *,
    strict_etags: bool,
    metrics_lag: timedelta,
    faults: Iterable[str] = (),
    denied: Iterable[str] = (),
) -> LocalCloud:
    """Start with these faults, without the permissions that are `denied`.

    Raises UnknownFault and UnknownPermission before anything; CannotStart without a container
    engine or an ingress.
    """
    permissions = [possible(permission) for permission in denied]
    wrong = Faults()
    for fault in faults:
        wrong.add(fault)
    clean_up_leftovers()
    machine = _runtime(runtime)
    try:
        ingress = EnvoyIngress()
    except EnvoyFailed as failure:
        machine.close()
        raise CannotStart(f"the ingress did not start: {failure}") from failure
    cloud = LocalCloud(
        machine, ingress, strict_etags=strict_etags, metrics_lag=metrics_lag, faults=wrong
    )
    for permission in permissions:
        cloud.permissions.deny(permission)
    return cloud


def _runtime(name: str) -> Runtime:
    try:
        return RUNTIMES[name]()
    except (DockerException, OSError) as error:  # the latter from one that accepts and is silent
        raise CannotStart(
            f"no Docker engine answers ({error}). "
            "hint: start one, or do without containers: --runtime in-process"
        ) from error
