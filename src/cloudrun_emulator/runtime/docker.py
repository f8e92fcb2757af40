"""Instances that are real containers."""

import math
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import PurePosixPath
from secrets import token_hex
from threading import Lock
from typing import Any

from docker.errors import APIError, NotFound
from docker.types import EndpointConfig
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from cloudrun_emulator.core.interfaces import (
    KILLED,
    STOP_GRACE,
    File,
    Instance,
    InstanceSpec,
    LogLine,
    Mount,
    StartRefused,
)
from cloudrun_emulator.runtime import cleanup
from cloudrun_emulator.runtime.container_log import ContainerLog
from cloudrun_emulator.runtime.images import image_id
from cloudrun_emulator.runtime.instances import stop_all
from cloudrun_emulator.runtime.network import PrivateNetwork

NO_PORT = 0
"""Of a task, and of a sidecar that listens nowhere: connections to it are refused."""

MOST_PROCESSES = 2048
"""Of one container, threads too: an image that forks without end takes itself down alone."""

METADATA_SERVER = "169.254.169.254"
"""Where the metadata server of a machine in a cloud listens, with that machine's credentials."""

_CARRIED = "/carried"
"""Where a volume is mounted while its files are written."""

_ONE_LOOK = {"stream": False, "one_shot": True}


class DockerRuntime:
    """Containers on a network of their own, each at its own address; no port is published."""

    def __init__(self) -> None:
        """Remove what clouds that are gone left behind; raise DockerException without an engine."""
        # The reaper comes as an image that cannot be pulled everywhere; owner labels do its work.
        testcontainers_config.ryuk_disabled = True
        self._engine = DockerClient().client
        cleanup.remove_from_engine(self._engine)
        self._cpus = float(self._engine.info()["NCPU"])
        self._labels = {cleanup.OWNER_LABEL: str(cleanup.this_process())}
        self._network = PrivateNetwork(self._engine, self._labels)
        self._instances: list[DockerInstance] = []
        self._volumes: dict[str, str] = {}
        self._lock = Lock()

    def start(self, spec: InstanceSpec, beside: Instance | None = None) -> "DockerInstance":
        """Raise ImageMissing or StartRefused."""
        image = image_id(self._engine, spec.image)
        host = beside.address[0] if beside else self._network.next_address()
        try:
            launch = self._launch(spec, image, self._network_options(host, beside))
        except APIError as error:
            raise StartRefused(f"{spec.name}: {error.explanation}") from error
        try:
            launch.start()
        except APIError as error:
            _discard(launch)
            raise StartRefused(f"{spec.name}: {error.explanation}") from error
        instance = DockerInstance(launch, (host, spec.port or NO_PORT))
        with self._lock:
            self._instances.append(instance)
        return instance

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            instances, self._instances = self._instances, []
            volumes, self._volumes = self._volumes, {}
        stop_all(instances, timedelta())
        for name in volumes.values():
            with suppress(NotFound):
                self._engine.api.remove_volume(name, force=True)
        self._network.close()
        self._engine.close()

    def _launch(
        self, spec: InstanceSpec, image: str, network: Mapping[str, Any]
    ) -> DockerContainer:
        launch = DockerContainer(
            image,
            env=dict(spec.environment),
            name=f"greenrun-{spec.name}-{token_hex(4)}",
            volumes=[self._binding(mount, image) for mount in spec.mounts],
        )
        launch.image = image  # without the prefix that testcontainers may be configured to add
        if spec.args:
            launch.with_command(list(spec.args))
        return launch.with_kwargs(
            entrypoint=list(spec.command) or None,
            mem_limit=spec.memory_bytes,
            memswap_limit=spec.memory_bytes,
            nano_cpus=int(min(spec.cpu, self._cpus) * 1e9),
            labels={**self._labels, "greenrun.image": spec.image},
            working_dir=spec.working_dir or None,
            **network,
            security_opt=["no-new-privileges"],
            pids_limit=MOST_PROCESSES,
            stop_signal="SIGTERM",
            log_config={"Type": "json-file"},
        )

    def _network_options(self, host: str, beside: Instance | None) -> Mapping[str, Any]:
        """An address of its own, or the network of the container that it starts beside."""
        if isinstance(beside, DockerInstance):
            return {"network_mode": f"container:{beside.container_id}"}
        return {
            "network": self._network.name,
            "networking_config": {self._network.name: self._endpoint(host)},
        }

    def _endpoint(self, host: str) -> EndpointConfig:
        """Give the container the metadata server's address too, so that it finds itself there."""
        return self._engine.api.create_endpoint_config(
            ipv4_address=host, link_local_ips=[METADATA_SERVER]
        )

    def _binding(self, mount: Mount, image: str) -> tuple[str, str, str]:
        return self._volume(mount, image), mount.path, "ro" if mount.read_only else "rw"

    def _volume(self, mount: Mount, image: str) -> str:
        with self._lock:
            if mount.source not in self._volumes:
                labels = {**self._labels, "greenrun.source": mount.source}
                name = f"greenrun-volume-{token_hex(8)}"
                memory = {"type": "tmpfs", "device": "tmpfs", "o": f"size={mount.memory_bytes}"}
                options = memory if mount.memory_bytes else None
                self._engine.volumes.create(name, labels=labels, driver_opts=options)
                self._volumes[mount.source] = name
                if mount.files:
                    self._fill(name, mount.files, image)
            return self._volumes[mount.source]

    def _fill(self, volume: str, files: Iterable[File], image: str) -> None:
        """Write by way of a container that is never started: the engine may be anywhere."""
        carrier = self._engine.containers.create(
            image, command=["-"], labels=self._labels, volumes=[f"{volume}:{_CARRIED}"]
        )
        try:
            carrier.put_archive(_CARRIED, archive(files))
        finally:
            carrier.remove(force=True, v=True)


class DockerInstance:
    """A container. Once `exit_code` tells one, `lines` has the last of what it wrote."""

    def __init__(self, launch: DockerContainer, address: tuple[str, int]) -> None:
        self.address = address
        self._launch = launch
        self._container = launch.get_wrapped_container()
        self._engine = launch.get_docker_client().client
        self._log = ContainerLog(self._container)
        self._exit_code: int | None = None
        self._stopping = Lock()
        self._removed = False

    @property
    def container_id(self) -> str:
        return str(self._container.id)

    def __repr__(self) -> str:
        return f"DockerInstance({self._container.name!r}, exit_code={self._exit_code})"

    def exit_code(self) -> int | None:
        """137 for one that was killed, for want of memory too."""
        if self._exit_code is None and self._log.ended:  # the engine need not be asked before
            self._exit_code = self._ask_exit_code()
        return self._exit_code

    def memory_bytes(self) -> int | None:
        """Without the page cache that the kernel could take back, as `docker stats` counts it."""
        with suppress(APIError, OSError):
            return used_bytes(self._engine.api.stats(str(self._container.id), **_ONE_LOOK))
        return None

    def lines(self) -> Sequence[LogLine]:
        return self._log.lines()

    def stop(self, grace: timedelta = STOP_GRACE) -> None:
        """The engine counts `grace` in whole seconds, rounded up."""
        with self._stopping:
            if self._removed:
                return
            with suppress(NotFound):
                self._container.stop(timeout=math.ceil(grace.total_seconds()))
            if self._exit_code is None:
                self._exit_code = self._ask_exit_code()
            _discard(self._launch)
            self._removed = True

    def _ask_exit_code(self) -> int | None:
        try:
            self._container.reload()
        except NotFound:
            return KILLED if self._exit_code is None else self._exit_code
        state = self._container.attrs["State"]
        if state["Status"] not in {"exited", "dead"}:
            return None
        self._log.complete()
        return int(state["ExitCode"])


def _discard(launch: DockerContainer) -> None:
    with suppress(NotFound):
        launch.stop()
    launch.get_docker_client().client.close()


def archive(files: Iterable[File]) -> bytes:
    """Pack a tar of `files`, which belong to root."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for file in files:
            for folder in reversed(PurePosixPath(file.path).parents[:-1]):
                entry = tarfile.TarInfo(str(folder))
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            entry = tarfile.TarInfo(file.path)
            entry.size, entry.mode = len(file.content), file.mode
            tar.addfile(entry, BytesIO(file.content))
    return packed.getvalue()


_INACTIVE = ("total_inactive_file", "inactive_file")
"""Page cache that can be taken back: in control groups version 1, and version 2."""


def used_bytes(statistics: Mapping[str, Any]) -> int | None:
    """Return what `docker stats` shows; None of a container that has ended.

    Source: https://docs.docker.com/reference/cli/docker/container/stats/
    """
    memory = statistics.get("memory_stats") or {}
    if "usage" not in memory:
        return None
    details = memory.get("stats") or {}
    inactive = next((details[name] for name in _INACTIVE if name in details), 0)
    return max(int(memory["usage"]) - int(inactive), 0)
