"""From a revision to an instance that passed its start-up probe, or why there is none."""

import http.client
import socket
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from secrets import token_hex
from threading import Event
from time import monotonic, sleep

from google.cloud import run_v2

from cloudrun_emulator.apis.run.conditions import Reason
from cloudrun_emulator.apis.run.containers import LONGEST_START_UP, SecretValues, instance_spec
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import (
    Fleet,
    ImageMissing,
    Instance,
    InstanceSpec,
    StartRefused,
)
from cloudrun_emulator.core.resource_names import ResourceName

_COMMON = run_v2.Condition.CommonReason
_REVISION = run_v2.Condition.RevisionReason


class LaunchFailed(Exception):
    """The revision will not serve; reason and message are those of its condition."""

    def __init__(self, revision: str, reason: Reason, cause: str) -> None:
        super().__init__(f"Revision '{revision}' is not ready and cannot serve traffic. {cause}")
        self.reason = reason


BeforeStart = Callable[[str, Callable[[], bool]], None]
"""Given the full name of a revision, and whether nobody waits for it any more."""


def _no_faults(_revision: str, _hopeless: Callable[[], bool]) -> None:
    """Start every revision at once."""


class Launcher:
    """Starts instances of revisions and waits for their start-up probe.

    `before_start` comes before each start and may take its time, or raise LaunchFailed.
    """

    def __init__(
        self, fleet: Fleet, secrets: SecretValues, before_start: BeforeStart = _no_faults
    ) -> None:
        self._before_start = before_start
        self._fleet = fleet
        self._secrets = secrets
        self._closing = Event()

    def launch(self, revision: run_v2.Revision, abandoned: Callable[[], bool]) -> Instance:
        """An instance that passed its start-up probe; raises LaunchFailed, soon once given up."""
        name = ResourceName.parse(revision.name, "services", "revisions")

        def hopeless() -> bool:
            return self._closing.is_set() or abandoned()

        self._before_start(revision.name, hopeless)
        instance = self._start(name, revision)
        container = revision.containers[0]
        port = container.ports[0].container_port
        if passes_probe(instance, container.startup_probe, port, hopeless):
            return instance
        instance.stop()
        raise LaunchFailed(name.id, _REVISION.HEALTH_CHECK_CONTAINER_ERROR, _not_listening(port))

    def close(self) -> None:
        """End every start-up probe under way."""
        self._closing.set()

    def _start(self, name: ResourceName, revision: run_v2.Revision) -> Instance:
        image = revision.containers[0].image
        try:
            return self._fleet.start(self._spec(name, revision))
        except ImageMissing as missing:
            cause = f"Image '{image}' not found."
            raise LaunchFailed(name.id, _COMMON.CONTAINER_MISSING, cause) from missing
        except StartRefused as refused:
            cause = f"The container could not be started: {refused}"
            raise LaunchFailed(name.id, _REVISION.HEALTH_CHECK_CONTAINER_ERROR, cause) from refused
        except CloudError as denied:
            raise LaunchFailed(
                name.id, _COMMON.SECRETS_ACCESS_CHECK_FAILED, denied.message
            ) from denied

    def _spec(self, name: ResourceName, revision: run_v2.Revision) -> InstanceSpec:
        service = name.path[0][1]
        container = revision.containers[0]
        return instance_spec(
            name=f"{name.id}-{token_hex(4)}",
            container=container,
            volumes=revision.volumes,
            resource=_revision_labels(name, service),
            extra_environment={
                "PORT": str(container.ports[0].container_port),
                "K_SERVICE": service,
                "K_REVISION": name.id,
                "K_CONFIGURATION": service,
            },
            secrets=self._secrets,
            project=name.location.project,
        )


def _revision_labels(name: ResourceName, service: str) -> dict[str, str]:
    return {
        "type": "cloud_run_revision",
        "project_id": name.location.project,
        "location": name.location.region,
        "service_name": service,
        "configuration_name": service,
        "revision_name": name.id,
    }


def _not_listening(port: int) -> str:
    return (
        "The user-provided container failed to start and listen on the port defined provided by "
        f"the PORT={port} environment variable within the allocated timeout. This can happen when "
        "the container port is misconfigured or if the timeout is too short. The health check "
        "timeout can be extended. Logs for this revision might contain more information."
    )


PAUSE = timedelta(milliseconds=50)
"""Between two tries. The platform keeps the probe's period; whoever rehearses need not wait it."""


def passes_probe(
    instance: Instance, probe: run_v2.Probe, port: int, abandoned: Callable[[], bool]
) -> bool:
    """Wait until `instance` answers.

    False once its window is over, its container has exited, or nobody wants it any more.
    `port` is the one that the container serves; a probe of another port asks there.
    """
    deadline = monotonic() + window(probe).total_seconds()
    while monotonic() < deadline and instance.exit_code() is None and not abandoned():
        if _answers(instance, probe, port):
            return True
        sleep(PAUSE.total_seconds())
    return False


def window(probe: run_v2.Probe) -> timedelta:
    """The time that a container has to start.

    failureThreshold times period after the initial delay, and never more than four minutes.
    Source: Cloud Run, container health checks.
    """
    tries = (probe.failure_threshold or 3) * (probe.period_seconds or 10)
    return timedelta(seconds=probe.initial_delay_seconds) + min(
        timedelta(seconds=tries), LONGEST_START_UP
    )


def _answers(instance: Instance, probe: run_v2.Probe, port: int) -> bool:
    host, own = instance.address
    action = probe.http_get if "http_get" in probe else probe.tcp_socket
    asked = action.port if action.port not in (0, port) else own
    seconds = float(probe.timeout_seconds or 1)
    try:
        if "http_get" in probe:
            return 200 <= _http_status(host, asked, probe.http_get, seconds) < 400
        socket.create_connection((host, asked), timeout=min(seconds, 1)).close()
    except (OSError, http.client.HTTPException, ValueError):  # the last for a header that is none
        return False
    return True


def _http_status(host: str, port: int, action: run_v2.HTTPGetAction, seconds: float) -> int:
    with closing(http.client.HTTPConnection(host, port, timeout=seconds)) as connection:
        headers = {header.name: header.value for header in action.http_headers}
        connection.request("GET", action.path or "/", headers=headers)
        return connection.getresponse().status
