"""From a revision to an instance that passed its startup probes, or why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_hex
from threading import Event

from google.cloud import run_v2

from cloudrun_emulator.apis.run.conditions import Reason, startup_failure
from cloudrun_emulator.apis.run.containers import SecretValues, instance_spec, memory_bytes
from cloudrun_emulator.apis.run.defaults import tcp_probe
from cloudrun_emulator.apis.run.probes import (
    LivenessProbe,
    answers,
    describe_failure,
    passes_startup,
)
from cloudrun_emulator.apis.run.templates import start_order
from cloudrun_emulator.apis.run.volumes import Volumes
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import (
    Fleet,
    ImageMissing,
    Instance,
    InstanceSpec,
    StartRefused,
)
from cloudrun_emulator.core.resource_names import ResourceName
from cloudrun_emulator.runtime.instances import InstanceGroup

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
    """Starts instances of revisions and waits for their startup probes.

    `before_start` comes before each start and may take its time, or raise LaunchFailed.
    """

    def __init__(
        self, fleet: Fleet, secrets: SecretValues, before_start: BeforeStart = _no_faults
    ) -> None:
        self._before_start = before_start
        self._fleet = fleet
        self._secrets = secrets
        self._closing = Event()

    def launch(
        self, revision: run_v2.Revision, abandoned: Callable[[], bool], *, checked: bool = True
    ) -> Instance:
        """An instance that passed its startup probes; raises LaunchFailed, soon once given up.

        Where nothing is `checked` it need only have started.
        """

        def hopeless() -> bool:
            return self._closing.is_set() or abandoned()

        self._before_start(revision.name, hopeless)
        launch = _Launch(revision, self._fleet, self._secrets, hopeless)
        instance = launch.carry_out(checked=checked)
        for started in launch.started:
            if "liveness_probe" in started.container:
                self._look_after(started, instance)
        return instance

    def _look_after(self, started: "_Started", instance: Instance) -> None:
        probe, port = started.container.liveness_probe, _port(started.container)
        told = describe_failure("LIVENESS", probe, started.container.name, port)

        def failed() -> None:
            self._fleet.note(started.spec, "ERROR", f"{told} The instance has been shut down.")

        is_alive = partial(answers, started.instance, probe, port)
        LivenessProbe(is_alive, instance, probe, failed, self._closing)

    def close(self) -> None:
        """End every probe under way."""
        self._closing.set()


@dataclass(frozen=True, slots=True)
class _Started:
    """A container of an instance that runs."""

    container: run_v2.Container
    spec: InstanceSpec
    instance: Instance


class _Launch:
    """The start of one instance: its containers one after the other, as they depend on another."""

    def __init__(
        self,
        revision: run_v2.Revision,
        fleet: Fleet,
        secrets: SecretValues,
        hopeless: Callable[[], bool],
    ) -> None:
        self.started: list[_Started] = []
        self._revision = revision
        self._name = ResourceName.parse(revision.name, "services", "revisions")
        self._instance = f"{self._name.id}-{token_hex(4)}"
        self._fleet = fleet
        self._secrets = secrets
        self._hopeless = hopeless
        self._passed: set[str] = set()

    def carry_out(self, *, checked: bool) -> Instance:
        """Raise LaunchFailed, and leave nothing running."""
        try:
            for container in start_order(self._revision.containers):
                if checked:
                    self._await_starts(container.depends_on)
                self.started.append(self._start(container))
            if checked:
                self._await_starts([started.container.name for started in self.started])
            self._expect_all_to_run()
        except BaseException:
            self._stop()
            raise
        return self._whole()

    def _whole(self) -> Instance:
        containers = [started.instance for started in self.started]
        serving = next(one.instance for one in self.started if one.container.ports)
        return serving if len(containers) == 1 else InstanceGroup(containers, serving)

    def _stop(self) -> None:
        for started in reversed(self.started):
            started.instance.stop()

    def _await_starts(self, names: Sequence[str]) -> None:
        for started in self.started:
            if started.container.name in names:
                self._await_start(started)

    def _await_start(self, started: _Started) -> None:
        container = started.container
        if container.name in self._passed or "startup_probe" not in container:
            return
        probe, port = container.startup_probe, _port(container)
        if not passes_startup(started.instance, probe, port, self._hopeless):
            raise self._failure(started)
        self._passed.add(container.name)

    def _expect_all_to_run(self) -> None:
        """One that nothing probes may have ended meanwhile."""
        for started in self.started:
            if started.instance.exit_code() is not None:
                raise self._failure(started)

    def _failure(self, started: _Started) -> LaunchFailed:
        if not self._hopeless():
            self._note_failure(started)
        reason = _REVISION.HEALTH_CHECK_CONTAINER_ERROR
        return LaunchFailed(self._name.id, reason, startup_failure(started.container))

    def _note_failure(self, started: _Started) -> None:
        """Source of the words for an exit: an entry of Google's log of 2026 [PASTE]."""
        container = started.container
        if (code := started.instance.exit_code()) is not None:
            self._fleet.note(started.spec, "WARNING", f"Container called exit({code}).")
        if "startup_probe" not in container:
            return
        probe = container.startup_probe
        kind = "Default STARTUP" if probe == tcp_probe(_port(container)) else "STARTUP"
        told = describe_failure(kind, probe, container.name, _port(container))
        self._fleet.note(started.spec, "ERROR", f"{told} The instance was not started.")

    def _start(self, container: run_v2.Container) -> _Started:
        beside = self.started[0].instance if self.started else None
        try:
            spec = self._spec(container)
            return _Started(container, spec, self._fleet.start(spec, beside))
        except ImageMissing as missing:
            cause = f"Image '{container.image}' not found."
            raise LaunchFailed(self._name.id, _COMMON.CONTAINER_MISSING, cause) from missing
        except StartRefused as refused:
            cause = f"The container could not be started: {refused}"
            reason = _REVISION.HEALTH_CHECK_CONTAINER_ERROR
            raise LaunchFailed(self._name.id, reason, cause) from refused
        except CloudError as denied:
            reason = _COMMON.SECRETS_ACCESS_CHECK_FAILED
            raise LaunchFailed(self._name.id, reason, denied.message) from denied

    def _spec(self, container: run_v2.Container) -> InstanceSpec:
        alone = len(self._revision.containers) == 1
        spec = instance_spec(
            name=self._instance if alone else f"{self._instance}-{container.name}",
            container=container,
            mounts=self._volumes().mounts(container),
            resource=_revision_labels(self._name, self._revision.service),
            extra_environment=self._platform_variables(container),
            secrets=self._secrets,
            project=self._name.location.project,
        )
        return replace(spec, port=_port(container) or None)

    def _volumes(self) -> Volumes:
        limits = (container.resources.limits for container in self._revision.containers)
        return Volumes(
            self._instance,
            self._name.location.project,
            tuple(self._revision.volumes),
            self._secrets,
            sum(memory_bytes(each["memory"]) for each in limits),
        )

    def _platform_variables(self, container: run_v2.Container) -> dict[str, str]:
        service = self._revision.service
        port = {"PORT": str(container.ports[0].container_port)} if container.ports else {}
        names = {"K_SERVICE": service, "K_REVISION": self._name.id, "K_CONFIGURATION": service}
        return {**port, **names}


def _port(container: run_v2.Container) -> int:
    """Return where a container listens: its port, for a sidecar that of its probes, or 0."""
    probes = (container.startup_probe, container.liveness_probe)
    asked = (
        action.port for probe in probes for action in (probe.http_get, probe.tcp_socket, probe.grpc)
    )
    return container.ports[0].container_port if container.ports else next(filter(None, asked), 0)


def _revision_labels(name: ResourceName, service: str) -> dict[str, str]:
    return {
        "type": "cloud_run_revision",
        "project_id": name.location.project,
        "location": name.location.region,
        "service_name": service,
        "configuration_name": service,
        "revision_name": name.id,
    }
